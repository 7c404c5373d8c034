/*
 * What a Redis under load loses by being attached and detached fifty times, and by being held all the
 * time, against one that is left alone: `npm run bench:redis`, as root, with redis-server and redis-tools.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { attach } from "async-teardown";

const requests = "1000000";
const rounds = 5;
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const socket = join(folder, "redis.sock");
const settings = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""];
const server = spawn("redis-server", settings, { stdio: "ignore" });
const pid = server.pid as number;

async function throughput(): Promise<number> {
  const words = ["-s", socket, "-t", "get", "-n", requests, "-c", "20", "--csv"];
  const { stdout } = await run("redis-benchmark", words);
  return Number(/"GET","([\d.]+)"/.exec(stdout)?.[1]);
}

async function fiftyTimes(isOver: () => boolean): Promise<void> {
  for (let count = 0; count < 50; count++) {
    const hold = await attach(pid);
    await sleep(80);
    await hold.detach();
    if (isOver()) throw new Error(`the load was over after ${count + 1} times: too few requests`);
  }
}

const cases = {
  "left alone": throughput,
  "held all the time": async () => {
    const hold = await attach(pid);
    const result = await throughput();
    await hold.detach();
    return result;
  },
  "attached and detached 50 times": async () => {
    let over = false;
    const measured = throughput().finally(() => {
      over = true;
    });
    await fiftyTimes(() => over);
    return measured;
  },
};

try {
  while (
    await run("redis-cli", ["-s", socket, "ping"]).then(
      ({ stdout }) => stdout.trim() !== "PONG",
      () => true,
    )
  )
    await sleep(50);
  const results = new Map<string, number[]>();

  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(cases))
      results.set(name, [...(results.get(name) ?? []), await measure()]);
  for (const [name, values] of results)
    console.log(
      `${name}: ${values.sort((a, b) => a - b)[Math.floor(rounds / 2)]} a second (${values.join(", ")})`,
    );
} finally {
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true });
}
