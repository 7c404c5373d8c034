/*
 * What protection costs and gains, against the unprotected case in the same run: `npm run bench`.
 * Everything is interleaved, so that a machine that gets slower does so for all alike.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { availableParallelism, freemem, release } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchAttach, benchCrowd } from "./attach.js";
import { benchLook } from "./look.js";
import { GiB, MiB, median, ms, note, show, sizeText, times, worst } from "./report.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const nativeFolder = join(root, "build", process.arch === "arm64" ? "aarch64" : "x86_64");
const library = join(nativeFolder, "libasync-teardown.so");
const launcher = join(nativeFolder, "async-teardown");
const SIGKILL = "9";
const closeInput = "0";

interface Times {
  /** Seconds. */
  readonly start: number;
  readonly exit: number;
  readonly back: number;
}

function compile(source: string): string {
  const program = join(root, "build/bench", source.replace(/.*\/(.*)\.c$/, "$1"));

  execFileSync(process.env.CC ?? "cc", ["-O2", "-pthread", "-o", program, join(root, source)]);
  return program;
}

mkdirSync(join(root, "build/bench"), { recursive: true });
const stopwatch = compile("bench/stopwatch.c");
const hog = compile("test/targets/hog.c");
const deny = compile("test/targets/deny.c");

/** A command, and how it is ended. */
interface Case {
  readonly words: readonly string[];
  readonly signal?: string;
  readonly held?: boolean;
}

function measure({ words, signal = SIGKILL, held = false }: Case): Times {
  const env = held ? { ...process.env, ATTACH: launcher } : process.env;
  return JSON.parse(String(execFileSync(stopwatch, [signal, ...words], { env, stdio: "pipe" }))) as Times;
}

/** In the order of the columns. */
const ways = ["plain", "helper", "holder"];
const canHold = process.getuid?.() === 0;

const protecting = [`LD_PRELOAD=${library}`, "ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/strict:1"];

/** Runs every case once, then every case again, so many times; a list of results for each case. */
function interleave(cases: readonly Case[], runs: number, what: string): Times[][] {
  const results: Times[][] = cases.map(() => []);

  for (let run = 0; run < runs; run++)
    for (const [index, each] of cases.entries()) {
      note(`${what}: ${run + 1} of ${runs}`);
      results[index]?.push(measure(each));
    }
  note("");
  return results;
}

function benchExit(runs: number): void {
  const sizes = [0, MiB, 64 * MiB, GiB, 8 * GiB].filter((bytes) => bytes < freemem() * 0.8);
  const cases = sizes.flatMap((bytes) => {
    const words = [hog, String(bytes), "stay"];
    return [{ words }, { words: [...protecting, ...words] }, { words, held: canHold }];
  });
  const results = interleave(cases, runs, "exit");
  const exits = results.map((each) => each.map(({ exit }) => exit));
  const emptyPlain = median(exits[0] ?? []);

  show(
    `Exit time, SIGKILL to waitpid, 4 KiB pages; median of ${runs}${canHold ? "" : " (not root: nothing is held)"}`,
    ["memory", ...ways.flatMap((way) => [way, "worst", "of empty, plain"]), "sooner by"],
    sizes.map((bytes, index) => {
      const all = exits.slice(ways.length * index, ways.length * (index + 1));
      return [
        sizeText(bytes),
        ...all.flatMap((each) => [ms(median(each)), ms(worst(each)), times(median(each) / emptyPlain)]),
        all
          .slice(1)
          .map((each) => times(median(all[0] ?? []) / median(each)))
          .join(", "),
      ];
    }),
  );
  show(
    `Memory back, in the same runs; median of ${runs}`,
    ["memory", ...ways],
    sizes.map((bytes, index) => [
      sizeText(bytes),
      ...results
        .slice(ways.length * index, ways.length * (index + 1))
        .map((each) => ms(median(each.map(({ back }) => back)))),
    ]),
  );
}

function benchStart(runs: number): void {
  const words = [hog, "0", "stay"];
  const prefixes = [[], protecting, [launcher, "run", "--"]];
  const cases = prefixes.map((prefix) => ({ words: [...prefix, ...words] }));
  const results = interleave(cases, runs, "start");
  const [plain = 0, guarded = 0, byRun = 0] = results.map((each) => median(each.map(({ start }) => start)));

  show(
    `Start, fork to the program's first byte; median of ${runs}`,
    ["", "time", "cost"],
    [
      ["plain", ms(plain), ""],
      ["protected", ms(guarded), ms(guarded - plain)],
      ["async-teardown run", ms(byRun), ms(byRun - plain)],
    ],
  );
}

function benchWaysToDie(runs: number): void {
  const bytes = Math.min(4 * GiB, freemem() * 0.8);
  const ways: [string, string, string][] = [
    ["SIGKILL", "stay", SIGKILL],
    ["SIGTERM", "stay", "15"],
    ["return from main", "exit", closeInput],
    ["exit_group from a thread", "thread", closeInput],
    ["abort", "abort", closeInput],
    ["SIGSEGV", "segv", closeInput],
  ];
  const cases = ways.flatMap(([, way, signal]) => {
    const words = [hog, String(bytes), way];
    return [
      { words, signal },
      { words: [...protecting, ...words], signal },
    ];
  });
  const exits = interleave(cases, runs, "ways to die").map((each) => median(each.map(({ exit }) => exit)));

  show(
    `Exit time by way to die, ${sizeText(bytes)}; median of ${runs}`,
    ["", "plain", "protected", "sooner by"],
    ways.map(([name], index) => {
      const [plain = 0, guarded = 0] = exits.slice(2 * index);
      return [name, ms(plain), ms(guarded), times(plain / guarded)];
    }),
  );
}

function benchFallbacks(runs: number): void {
  const ENOSYS = 38;
  const denied = ["", "pidfd_open", "close_range", "pidfd_open,close_range"];
  const cases = denied.map((calls) => {
    const words = [hog, String(GiB), "stay"];
    const rules = calls.replaceAll(/\w+/g, (call) => `${call}:${ENOSYS}`);
    return { words: [...protecting, ...(rules ? [deny, rules] : []), ...words] };
  });
  const results = interleave(cases, runs, "fallbacks");

  show(
    `On older kernels, 1 GiB; median of ${runs}`,
    ["without", "exit", "back"],
    denied.map((calls, index) => [
      calls || "(this kernel)",
      ms(median((results[index] ?? []).map(({ exit }) => exit))),
      ms(median((results[index] ?? []).map(({ back }) => back))),
    ]),
  );
}

console.log(`Linux ${release()}, Node.js ${process.versions.node}, ${availableParallelism()} CPUs`);
benchStart(100);
benchExit(40);
if (canHold) {
  await benchAttach(launcher, hog, 40);
  benchCrowd(compile("bench/crowd.c"), launcher, hog, 5);
}
await benchLook(launcher, protecting, hog, 20);
benchWaysToDie(5);
benchFallbacks(10);
