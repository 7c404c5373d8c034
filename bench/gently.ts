/* How a release treats its neighbours, and a helper its target. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { list } from "async-teardown";
import { compile, protecting } from "./programs.js";
import { ms, note, show, sizeText, times } from "./report.js";
import { fillable, turns } from "./rounds.js";
import { GiB, MiB, median } from "./units.js";

const kinds = compile("test/targets/kinds.c");

async function startKinds(bytes: number, prefix: readonly string[]): Promise<ChildProcess> {
  const child = spawn("env", [...prefix, kinds, "small", String(bytes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  return child;
}

const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, "utf8");
const numberIn = (text: string, name: string) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);

/** Whether a process is dead; a slow init may leave it there for a while. */
function isDead(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(statusOf(pid));
  } catch {
    return true;
  }
}

async function helperOf(pid: number): Promise<number> {
  const { addressSpaces } = await list();
  return addressSpaces.find(({ target }) => target === pid)?.protectors[0]?.pid as number;
}

/* ---- a busy neighbour ---- */

interface Load {
  readonly seconds: number;
  readonly requests: number;
  readonly p99: number;
}

/** What came of the time since the last call. */
async function ask(load: ChildProcess, lines: Interface): Promise<Load> {
  const answer = once(lines, "line");
  load.stdin?.write("\n");
  return JSON.parse(String((await answer)[0])) as Load;
}

const rateOf = ({ requests, seconds }: Load) => requests / seconds;

interface Disturbance {
  /** Requests a second in the teardown, of those in the seconds before and after. */
  readonly kept: number;
  readonly p99: number;
  readonly back: number;
}

/** Milliseconds. */
const quietTime = 2000;

/** Starts a process with so many bytes. Returns what kills it, and waits until they are back. */
async function prepareToKill(bytes: number, prefix: readonly string[]): Promise<() => Promise<void>> {
  const target = await startKinds(bytes, prefix);
  const helper = prefix.length ? await helperOf(target.pid as number) : undefined;

  return async () => {
    const deadline = performance.now() + 120_000;
    target.kill("SIGKILL");
    await once(target, "exit");
    while (helper !== undefined && !isDead(helper) && performance.now() < deadline) await sleep(10);
  };
}

async function disturb(load: ChildProcess, lines: Interface, act: () => Promise<unknown>) {
  await sleep(300);
  await ask(load, lines);
  await sleep(quietTime);
  const before = await ask(load, lines);
  const start = performance.now();
  await act();
  const back = (performance.now() - start) / 1000;
  const busy = await ask(load, lines);
  await sleep(quietTime);
  const after = await ask(load, lines);
  return { kept: (2 * rateOf(busy)) / (rateOf(before) + rateOf(after)), p99: busy.p99, back };
}

export async function benchRedis(deadline: number): Promise<void> {
  const bytes = 4 * GiB;
  const isThere = (process.env.PATH ?? "")
    .split(":")
    .some((folder) => existsSync(join(folder, "redis-server")));
  if (!isThere) return console.log("not measured: a Redis under load: redis-server is not there");
  if (bytes > fillable())
    return console.log("not measured: a Redis under load: more than is free, less a tenth");
  const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
  const socket = join(folder, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""];
  const server = spawn("redis-server", settings, { stdio: "ignore" });
  const program = compile("bench/load.c");
  const end = (prefix: readonly string[]) => () => prepareToKill(bytes, prefix);
  const ways: Record<string, () => Promise<() => Promise<unknown>>> = {
    "none: nothing happens for 5 s": async () => () => sleep(5000),
    "plain exit": end([]),
    protected: end(protecting()),
    "protected, --priority low": end(protecting("/priority:low")),
    "protected, --priority idle": end(protecting("/priority:idle")),
  };
  const results = new Map<string, Disturbance[]>();

  try {
    while (!existsSync(socket)) await sleep(50);
    const load = spawn(program, [socket, "20"], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(load.stdout);
    try {
      for (const round of turns(7, deadline))
        for (const [name, prepare] of Object.entries(ways)) {
          note(`${name}, round ${round + 1}`);
          results.set(name, [...(results.get(name) ?? []), await disturb(load, lines, await prepare())]);
        }
    } finally {
      load.kill("SIGKILL");
    }
  } finally {
    server.kill("SIGKILL");
    await once(server, "exit");
    rmSync(folder, { recursive: true });
  }
  note("");
  show(
    `A Redis under load on all CPUs, in the teardown of ${sizeText(bytes)}; medians`,
    ["", "rounds", "throughput, of that before and after", "99 % of the answers within", "memory back"],
    [...results].map(([name, all]) => [
      name,
      String(all.length),
      `${(median(all.map(({ kept }) => kept)) * 100).toFixed(0)} %`,
      ms(median(all.map(({ p99 }) => p99))),
      ms(median(all.map(({ back }) => back))),
    ]),
  );
}

/* ---- a rate ---- */

export async function benchRate(deadline: number): Promise<void> {
  const rows: string[][] = [];

  for (const rate of [256 * MiB, 512 * MiB]) {
    const bytes = 4 * rate;
    if (bytes > fillable() || (rows.length && performance.now() > deadline)) {
      console.log(`not measured: a rate of ${sizeText(rate)} a second`);
      continue;
    }
    note(`a rate of ${sizeText(rate)} a second`);
    const target = await startKinds(bytes, protecting(`/rate:${rate}`));
    const helper = await helperOf(target.pid as number);
    const looks: { at: number; left: number }[] = [];

    target.kill("SIGKILL");
    while (!isDead(helper)) {
      looks.push({ at: performance.now() / 1000, left: numberIn(statusOf(helper), "RssAnon") * 1024 });
      await sleep(10);
    }
    const within = looks.filter(({ left }) => left < bytes && left > bytes / 50);
    const seconds = within.flatMap(({ at, left }) => {
      const later = within.find((other) => other.at >= at + 1);
      return later ? [(left - later.left) / (later.at - at) / rate] : [];
    });
    const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
    rows.push([sizeText(rate), String(seconds.length), times(least), times(most)]);
  }
  note("");
  show("A rate, over any second", ["a second", "seconds looked at", "least", "most"], rows);
}

/* ---- as long as the target lives ---- */

export async function benchSteady(deadline: number): Promise<void> {
  const chase = compile("bench/chase.c");
  const results: Record<string, number[]> = { plain: [], protected: [] };
  const target = await startKinds(MiB, protecting());
  const helper = await helperOf(target.pid as number);
  const switches = () => {
    const status = statusOf(helper);
    return numberIn(status, "voluntary_ctxt_switches") + numberIn(status, "nonvoluntary_ctxt_switches");
  };
  const [before, since] = [switches(), performance.now()];
  const run = (prefix: readonly string[]) =>
    (
      JSON.parse(String(execFileSync("env", [...prefix, chase, String(128 * MiB), "5000000"]))) as {
        seconds: number;
      }
    ).seconds;

  for (const round of turns(20, deadline)) {
    note(`steady state, round ${round + 1}`);
    results.plain?.push(run([]));
    results.protected?.push(run(protecting()));
  }
  await sleep(Math.max(0, 10_000 - (performance.now() - since)));
  const [after, seconds] = [switches(), Math.round((performance.now() - since) / 1000)];
  target.kill("SIGKILL");
  note("");
  const [plain, guarded] = [median(results.plain ?? []), median(results.protected ?? [])];

  show(
    `5,000,000 dependent reads in 128 MiB; median of ${results.plain?.length}`,
    ["plain", "protected", "of plain", `context switches of a helper, in ${seconds} s`],
    [[ms(plain), ms(guarded), times(guarded / plain), String(after - before)]],
  );
}
