import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { asyncTeardown, root } from "../support/paths.js";
import { helpersOf, isAlive, until } from "../support/proc.js";
import { runToEnd, type Started, start } from "../support/start.js";

const noHaproxy = missing("/usr/sbin/haproxy", "haproxy");
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const socket = join(folder, "haproxy.sock");
const config = join(folder, "haproxy.cfg");

/** Whether HAProxy answers a request. */
function answers(): Promise<boolean> {
  return new Promise((tell) => {
    get({ socketPath: socket, path: "/" }, (response) => {
      response.resume();
      tell(response.statusCode === 200);
    }).on("error", () => tell(false));
  });
}

const untilAnswers = () => until(answers, "HAProxy answers");

/** Little of everything: it is to reload fast. */
function configure(): void {
  writeFileSync(
    config,
    `global\n maxconn 64\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n` +
      `frontend f\n bind ${socket}\n http-request return status 200\n`,
  );
}

async function startHaproxy(launcher: string, before: readonly string[] = []): Promise<Started> {
  configure();
  const words = [
    ...before,
    launcher,
    "run",
    "--mechanism",
    "helper",
    "--",
    "/usr/sbin/haproxy",
    "-W",
    "-db",
    "-f",
    config,
  ];
  const master = start(words, { stdio: ["ignore", "ignore", "pipe"] });

  master.stderr?.resume();
  await untilAnswers();
  return master;
}

/** Children that nobody has reaped. */
const zombiesOf = async (pid: number) =>
  (await runToEnd(["ps", "-o", "stat=", "--ppid", String(pid)])).stdout
    .split("\n")
    .filter((state) => state.startsWith("Z"));

const workersOf = async (pid: number) =>
  (await runToEnd(["pgrep", "-P", String(pid)])).stdout.split("\n").filter((word) => word !== "");

/** Reloads; requests may fail while the socket changes hands, without us as well. */
async function reload(master: Started, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const before = await workersOf(master.pid);

    // HAProxy misses a signal that comes before it is ready for it, without us as well.
    let asked = 0;
    await until(async () => {
      if (Date.now() > asked + 1000) {
        process.kill(master.pid, "SIGUSR2");
        asked = Date.now();
      }
      return (await workersOf(master.pid)).some((pid) => !before.includes(pid));
    }, "there is a new worker");
    await untilAnswers();
    expect(isAlive(master.pid)).toBe(true);
  }
}

describe.skipIf(noHaproxy)(`HAProxy, which executes itself to reload (${noHaproxy ?? "it is there"})`, () => {
  it("stays up, and protected, by one helper", { timeout: 120_000 }, async () => {
    const master = await startHaproxy(asyncTeardown);

    await reload(master, 5);
    await until(() => helpersOf(master.pid).filter(isAlive).length === 1, "one helper is left");
    expect(await zombiesOf(master.pid)).toEqual([]);
  });

  it("stays up where the package is moved away, and is protected again when it is back", {
    timeout: 120_000,
  }, async () => {
    const [copy, away] = [join(folder, "package"), join(folder, "away")];

    mkdirSync(copy);
    cpSync(join(root, "build"), join(copy, "build"), {
      recursive: true,
      filter: (name) => !/bench|test/.test(name.slice(root.length)),
    });
    symlinkSync(join(root, "dist"), join(copy, "dist"));
    const master = await startHaproxy(asyncTeardown.replace(root, `${copy}/`));

    renameSync(copy, away);
    await reload(master, 3);
    await until(() => helpersOf(master.pid).filter(isAlive).length === 0, "no helper is left");
    renameSync(away, copy);
    await reload(master, 1);
    await until(() => helpersOf(master.pid).filter(isAlive).length === 1, "there is a helper again");
  });
});
