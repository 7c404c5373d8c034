import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { childrenOf, helpersOf, isAlive, status, until } from "../support/proc.js";
import { run, runToEnd, start } from "../support/start.js";

/** Debian's has its version in its name. */
const findFpm = () => readdirSync("/usr/sbin").find((name) => /^php-fpm\d/.test(name));

const noFpm =
  missing("cgi-fcgi", "libfcgi-bin") ?? missing(join("/usr/sbin", findFpm() ?? "php-fpm8.2"), "php-fpm");

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const socket = join(folder, "fpm.sock");
const config = join(folder, "fpm.conf");
const page = join(folder, "page.php");

function configure(): void {
  chmodSync(folder, 0o755); // its workers are nobody
  writeFileSync(page, "<?php echo 'from ', getmypid();");
  writeFileSync(
    config,
    `[global]\ndaemonize = no\nerror_log = ${folder}/log\n[www]\nuser = nobody\ngroup = nogroup\n` +
      `listen = ${socket}\npm = static\npm.max_children = 2\n`,
  );
}

/** The worker that answered a request; 0 where none did. */
async function answering(): Promise<number> {
  const env = { SCRIPT_FILENAME: page, REQUEST_METHOD: "GET" };
  const { stdout } = await runToEnd(["cgi-fcgi", "-bind", "-connect", socket], { env });
  return Number(/from (\d+)/.exec(stdout)?.[1] ?? 0);
}

describe.skipIf(noFpm)(`php-fpm, which executes itself to reload (${noFpm ?? "it is there"})`, () => {
  it("stays up, and protected, by one helper for each of its processes", async () => {
    configure();
    const fpm = join("/usr/sbin", findFpm() ?? "");
    const words = [...run.slice(0, 2), "--follow-forks", "--", fpm, "-y", config];
    const master = start(words, { stdio: "ignore" });
    const isAnswered = async (by: (worker: number) => boolean) => by(await answering());

    await until(() => isAnswered((worker) => worker > 0), "php-fpm answers");
    for (let reload = 0; reload < 3; reload++) {
      const before = childrenOf(master.pid);
      process.kill(master.pid, "SIGUSR2");
      await until(
        () => isAnswered((worker) => worker > 0 && !before.includes(worker)),
        "a new worker answers",
      );
      expect(isAlive(master.pid)).toBe(true);
    }

    const workers = childrenOf(master.pid);
    for (const pid of [master.pid, ...workers])
      await until(() => helpersOf(pid).filter(isAlive).length === 1, `process ${pid} has one helper`);
    expect(workers.map((pid) => status(pid).State?.[0])).not.toContain("Z");

    master.kill("SIGTERM");
    await until(() => ![master.pid, ...workers].some(isAlive), "php-fpm has ended");
    await until(
      () => [master.pid, ...workers].flatMap(helpersOf).filter(isAlive).length === 0,
      "no helper is left",
    );
  });
});
