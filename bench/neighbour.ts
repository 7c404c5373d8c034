/* What a busy neighbour, a Redis under load, keeps of its throughput while memory comes back. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { compile, protecting } from "./programs.js";
import { ms, note, show, sizeText } from "./report.js";
import { fillable, turns } from "./rounds.js";
import { helperOf, isDead, startKinds } from "./target.js";
import { GiB, median } from "./units.js";

interface Answers {
  readonly seconds: number;
  readonly requests: number;
  readonly p99: number;
}

interface Load {
  readonly program: ChildProcess;
  readonly lines: Interface;
}

/** What came of the time since the last call. */
async function ask({ program, lines }: Load): Promise<Answers> {
  const answer = once(lines, "line");
  program.stdin?.write("\n");
  return JSON.parse(String((await answer)[0])) as Answers;
}

async function during(load: Load, milliseconds: number): Promise<Answers> {
  await ask(load);
  await sleep(milliseconds);
  return await ask(load);
}

const rateOf = ({ requests, seconds }: Answers) => requests / seconds;

interface Disturbance {
  /** Requests a second, of those at other times. */
  readonly kept: number;
  /** Seconds. */
  readonly p99: number;
  readonly back: number;
}

const bytes = 4 * GiB;
const mostBack = 120_000;

/** A teardown of a second, against the two seconds before and after. */
async function teardownAtOnce(load: Load, prefix: readonly string[]): Promise<Disturbance> {
  const target = await startKinds(bytes, prefix);
  const helper = prefix.length ? await helperOf(target.pid as number) : undefined;

  await sleep(300);
  const before = await during(load, 2000);
  const start = performance.now();
  target.kill("SIGKILL");
  await once(target, "exit");
  while (helper !== undefined && !isDead(helper) && performance.now() < start + mostBack) await sleep(10);
  const back = (performance.now() - start) / 1000;
  const busy = await ask(load);
  const after = await during(load, 2000);
  return { kept: (2 * rateOf(busy)) / (rateOf(before) + rateOf(after)), p99: busy.p99, back };
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Returns whether there is such a process still. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/**
 * Half a second at a time, against the quarters of a second before and after, in which the process is stopped: what the
 * machine does by itself in half a minute is more than what an idle helper does to it.
 */
async function inTurns(load: Load, pid: number, isOver: (back: number) => boolean): Promise<Disturbance> {
  const windows: { kept: number; p99: number }[] = [];
  let back = 0;

  const isStopped = () => !isOver(back) && send(pid, "SIGSTOP");
  const goOnAndEnd = () => {
    send(pid, "SIGCONT"); // otherwise it would keep its memory for ever
    process.exit(130);
  };
  for (const signal of endings) process.once(signal, goOnAndEnd);
  try {
    let still = isStopped() ? await during(load, 250) : undefined;
    while (still) {
      const start = performance.now();
      send(pid, "SIGCONT");
      const busy = await during(load, 500);
      back += (performance.now() - start) / 1000;
      if (!isStopped()) break;
      const after = await during(load, 250);
      windows.push({ kept: (2 * rateOf(busy)) / (rateOf(still) + rateOf(after)), p99: busy.p99 });
      still = after;
    }
  } finally {
    send(pid, "SIGCONT");
    for (const signal of endings) process.off(signal, goOnAndEnd);
  }
  return { kept: median(windows.map(({ kept }) => kept)), p99: median(windows.map(({ p99 }) => p99)), back };
}

async function idleTeardown(load: Load): Promise<Disturbance> {
  const target = await startKinds(bytes, protecting("/priority:idle"));
  const helper = await helperOf(target.pid as number);

  await sleep(300);
  target.kill("SIGKILL");
  await once(target, "exit");
  return await inTurns(load, helper, (back) => isDead(helper) || back > mostBack / 1000);
}

/** How far one figure lies from another by itself. */
async function nothing(load: Load): Promise<Disturbance> {
  const sleeper = spawn("sleep", ["60"], { stdio: "ignore" });

  try {
    return await inTurns(load, sleeper.pid as number, (back) => back > 10);
  } finally {
    sleeper.kill("SIGKILL");
  }
}

const ways: Readonly<Record<string, (load: Load) => Promise<Disturbance>>> = {
  "none: nothing happens for 10 s": nothing,
  "plain exit": (load) => teardownAtOnce(load, []),
  protected: (load) => teardownAtOnce(load, protecting()),
  "protected, --priority low": (load) => teardownAtOnce(load, protecting("/priority:low")),
  "protected, --priority idle": idleTeardown,
};

/** The socket is there a moment before the server listens. */
async function isListening(socket: string): Promise<boolean> {
  const connection = connect(socket);

  try {
    await once(connection, "connect");
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}

/** Runs a Redis and its clients meanwhile. */
async function underLoad(act: (load: Load) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
  const socket = join(folder, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""];
  const server = spawn("redis-server", settings, { stdio: "ignore" });

  try {
    while (!(await isListening(socket))) {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
      await sleep(50);
    }
    const program = spawn(compile("bench/load.c"), [socket, "20"], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      await act({ program, lines: createInterface(program.stdout) });
    } finally {
      program.kill("SIGKILL");
    }
  } finally {
    if (server.kill("SIGKILL")) await once(server, "exit");
    rmSync(folder, { recursive: true });
  }
}

export async function benchRedis(deadline: number): Promise<void> {
  const isThere = (process.env.PATH ?? "")
    .split(":")
    .some((folder) => existsSync(join(folder, "redis-server")));
  if (!isThere) return console.log("not measured: a Redis under load: redis-server is not there");
  if (bytes > fillable())
    return console.log("not measured: a Redis under load: more than is free, less a tenth");
  const results = new Map<string, Disturbance[]>();

  await underLoad(async (load) => {
    for (const round of turns(7, deadline))
      for (const [name, measure] of Object.entries(ways)) {
        note(`${name}, round ${round + 1}`);
        results.set(name, [...(results.get(name) ?? []), await measure(load)]);
      }
  });
  note("");
  show(
    `A Redis under load on all CPUs, in the teardown of ${sizeText(bytes)}; medians`,
    ["", "rounds", "throughput, of that at other times", "99 % of the answers within", "memory back"],
    [...results].map(([name, all]) => [
      name,
      String(all.length),
      `${(median(all.map(({ kept }) => kept)) * 100).toFixed(0)} %`,
      ms(median(all.map(({ p99 }) => p99))),
      ms(median(all.map(({ back }) => back))),
    ]),
  );
}
