import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { holderOf, holdersOf, isAlive, isParked, until } from "../support/proc.js";
import { ending, runToEnd, type Started, start } from "../support/start.js";

const noPostgres = noHolder ?? missing("pg_ctlcluster", "postgresql");

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 10 }));

const bytes = affordable(384 * MiB);
const rows = Math.floor((0.9 * bytes) / 8192) * 7; // of 1,000 letters, seven in a block
const data = ["-D", join(folder, "data")];

/** Listens only on its own socket. Autovacuum and replication would start processes while we look at them. */
const settings = `--listen_addresses= --unix_socket_directories=${folder} --shared_buffers=${bytes / MiB}MB
  --huge_pages=off --fsync=off --autovacuum=off --max_logical_replication_workers=0`.split(/\s+/);

/** A program of the server, of whichever version; it refuses to run as root. */
function asPostgres(program: string, ...words: string[]): string[] {
  const script = 'for file in /usr/lib/postgresql/*/bin/"$0"; do exec "$file" "$@"; done';
  const user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
  return ["setpriv", ...user, "sh", "-c", script, program, ...words];
}

async function startServer(): Promise<Started> {
  const postmaster = start(asPostgres("postgres", ...data, ...settings), { stdio: "ignore" });
  const file = join(folder, "data/postmaster.pid");
  const state = () => (existsSync(file) ? readFileSync(file, "latin1") : "");

  await until(() => state().startsWith(`${postmaster.pid}\n`) && state().includes("ready"), "it is ready");
  return postmaster;
}

/** A client that stays. Takes queries whose answer is one line. */
function connect(): (query: string) => Promise<string> {
  const words = ["psql", "-h", folder, "-U", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1"];
  const { stdin, stdout } = start(words, { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface(stdout as NonNullable<typeof stdout>)[Symbol.asyncIterator]();

  return async (query) => {
    stdin?.write(`${query};\n`);
    return (await lines.next()).value;
  };
}

function allOf({ pid }: Started): number[] {
  return [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").map(Number)];
}

async function tell(command: "attach" | "detach", pids: readonly number[]): Promise<void> {
  const { exitCode, stderr } = await runToEnd([asyncTeardown, command, ...pids.map(String)]);

  expect([exitCode, stderr]).toEqual([0, ""]);
  const areHeld = (pid: number) => holdersOf(pid).some(isParked) === (command === "attach");
  await until(() => pids.every(areHeld), `${command} has done what it says`);
}

const areLetGo = (pids: readonly number[]) => () => pids.every((pid) => holdersOf(pid).length === 0);

describe.skipIf(noPostgres)(`PostgreSQL (${noPostgres ?? "it is there"})`, () => {
  beforeAll(async () => {
    const options = ["--auth=trust", "--no-sync", "--no-locale"];
    const input = `create extension pg_prewarm
create table letters as select repeat('x', 1000) from generate_series(1, ${rows})`;

    await runToEnd(["chown", "postgres", folder]);
    await runToEnd(asPostgres("initdb", ...data, ...options));
    await runToEnd(asPostgres("postgres", "--single", "-F", ...data, "postgres"), { input });
  });

  // The postmaster waits for all its children, and unmaps the shared memory itself: that costs nothing as
  // long as another process has it. So all of them are held, and one has all of it mapped.
  it("answers while it is held, ends by an immediate shutdown, and recovers each time", async () => {
    for (const inserted of [0, 1]) {
      const postmaster = await startServer();
      const query = connect();
      expect(await query("select count(*) from letters")).toBe(String(rows + inserted));
      await query("select pg_prewarm('letters')");
      const pids = allOf(postmaster);
      for (const command of ["attach", "detach", "attach"] as const) await tell(command, pids);
      expect(await query("insert into letters values ('y') returning 'done'")).toBe("done");
      postmaster.kill("SIGQUIT");
      await ending(postmaster);
      await until(areLetGo(pids), "the holders are gone");
    }
  });

  // It asks the kernel who has its System V segment attached; whoever keeps an address space, does.
  it("that was killed does not start again before its memory is given back, and then it does", async () => {
    const postmaster = await startServer();
    const pids = allOf(postmaster);
    await tell("attach", pids);
    const holder = holderOf(postmaster.pid);

    process.kill(holder, "SIGSTOP");
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await until(() => !pids.some(isAlive), "all of it is dead");
    const { exitCode, stderr } = await runToEnd(asPostgres("postgres", ...data, ...settings));
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/shared memory block .* is still in use/)]);

    process.kill(holder, "SIGCONT");
    await until(areLetGo(pids), "the holders are gone");
    const next = await startServer();
    expect(await connect()("select 'it answers'")).toBe("it answers");
    next.kill("SIGINT");
    expect(await ending(next)).toBe(0);
  });
});
