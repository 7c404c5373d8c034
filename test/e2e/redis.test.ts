import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import {
  helperOf,
  helpersOf,
  isAlive,
  killWhileHelperStands,
  residentBytes,
  status,
  until,
} from "../support/proc.js";
import { ending, run, runToEnd, type Started, start } from "../support/start.js";

const noRedis = missing("redis-server", "redis-server");
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const socket = join(folder, "redis.sock");

async function redis(...words: string[]): Promise<string> {
  return (await runToEnd(["redis-cli", "-s", socket, ...words])).stdout.trim();
}

/** A Redis that listens on no port, only on its own socket. */
async function startRedis(): Promise<Started> {
  const settings = [
    "--enable-debug-command",
    "yes",
    "--port",
    "0",
    "--unixsocket",
    socket,
    "--dir",
    folder,
    "--save",
    "",
  ];
  const server = start([...run, "redis-server", ...settings], { stdio: "ignore" });

  for (let tries = 0; (await redis("ping")) !== "PONG"; tries++)
    if (tries === 100) throw new Error("Redis does not answer");
  return server;
}

describe.skipIf(noRedis)(`Redis (${noRedis ?? "it is there"})`, () => {
  it("starts protected, saves in a child that is not, and has all its data after SIGKILL", async () => {
    const server = await startRedis();
    const helper = helperOf(server.pid);

    await redis("debug", "populate", "200000", "key", "500");
    expect(await redis("dbsize")).toBe("200000");
    const digest = await redis("debug", "digest");
    await redis("bgsave");
    // The child that saves has Redis's own memory by fork, and no helper: there is still only one.
    expect(helpersOf(server.pid)).toEqual([helper]);
    while (!(await redis("info", "persistence")).includes("rdb_bgsave_in_progress:0"));

    process.kill(helper, "SIGSTOP");
    server.kill("SIGKILL");
    expect(await ending(server)).toBe("SIGKILL");
    expect(residentBytes(helper)).toBeGreaterThan(100 << 20);

    // The next one can start while the memory of the first is still there.
    const next = await startRedis();
    expect(await redis("debug", "digest")).toBe(digest);
    expect(status(next.pid).Name).toBe("redis-server");
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the helper is gone");

    next.kill("SIGTERM");
    expect(await ending(next)).toBe(0);
  });

  it("that goes to the background leaves a process that is protected, where its forks are followed", async () => {
    const pidFile = join(folder, "pid");
    const settings = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""];
    const daemon = ["redis-server", ...settings, "--daemonize", "yes", "--pidfile", pidFile];

    expect((await runToEnd([...run.slice(0, 2), "--follow-forks", "--", ...daemon])).exitCode).toBe(0);
    // It is there, and empty, for a moment before it has the number.
    const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0);
    await until(() => pid() > 0, "Redis is in the background");
    await killWhileHelperStands(pid());
  });
});
