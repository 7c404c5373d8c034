/* What it takes to start and to exit, protected and not. */
import { execFileSync } from "node:child_process";
import {
  type Case,
  closeInput,
  compile,
  launcher,
  measure,
  protecting,
  SIGKILL,
  SIGTERM,
  type Times,
} from "./programs.js";
import { ms, show, sizeText, times, worst } from "./report.js";
import { type Group, inRounds, type Measured, showMissing } from "./rounds.js";
import { GiB, MiB, median } from "./units.js";

export const hog = compile("test/targets/hog.c");
const deny = compile("test/targets/deny.c");
const start = compile("bench/start.c");
const canHold = process.getuid?.() === 0;

const group = (name: string, bytes: number, cases: readonly Case[]): Group<Times> => ({
  name,
  bytes,
  cases: cases.map((each) => () => measure(each)),
});

const exitOf = ({ exit }: Times) => exit;
const rounds = ({ results }: Measured<Times>) => String(results[0]?.length ?? 0);
const medians = ({ results }: Measured<Times>, figure: (times: Times) => number) =>
  results.map((each) => median(each.map(figure)));

/** In the order of the columns. */
const ways = ["plain", "helper", ...(canHold ? ["holder"] : [])];

export async function benchExit(deadline: number): Promise<void> {
  const sizes = [0, MiB, 64 * MiB, GiB, 8 * GiB];
  const groups = sizes.map((bytes) => {
    const words = [hog, String(bytes), "stay"];
    const held = canHold ? [{ words, env: { ATTACH: launcher } }] : [];
    return group(`exit, ${sizeText(bytes)}`, bytes, [
      { words },
      { words: [...protecting(), ...words] },
      ...held,
    ]);
  });
  const all = await inRounds(groups, deadline, exitOf);
  const emptyPlain = median((all[0]?.results[0] ?? []).map(exitOf));
  const measured = all.filter(({ reason }) => reason === undefined);
  const sizeOf = ({ group: { bytes } }: Measured<Times>) => sizeText(bytes);

  show(
    `Exit time, SIGKILL to waitpid, 4 KiB pages; medians${canHold ? "" : " (not root: nothing is held)"}`,
    ["memory", "rounds", ...ways.flatMap((way) => [way, "worst", "of empty, plain"]), "sooner by"],
    measured.map((each) => {
      const exits = each.results.map((result) => result.map(exitOf));
      return [
        sizeOf(each),
        rounds(each),
        ...exits.flatMap((times_) => [
          ms(median(times_)),
          ms(worst(times_)),
          times(median(times_) / emptyPlain),
        ]),
        exits
          .slice(1)
          .map((times_) => times(median(exits[0] ?? []) / median(times_)))
          .join(", "),
      ];
    }),
  );
  show(
    "Memory back, in the same runs; medians",
    ["memory", ...ways],
    measured.map((each) => [sizeOf(each), ...medians(each, ({ back }) => back).map(ms)]),
  );
  showMissing(all);
}

/** Milliseconds: the medians of plain, by run, and of the difference. */
function measureRun(times: number): number[] {
  const { plain, run, cost } = JSON.parse(String(execFileSync(start, [String(times), launcher])));
  return [plain, run, cost];
}

export async function benchStart(deadline: number): Promise<void> {
  const words = [hog, "0", "stay"];
  const prefixes = [[], protecting()];
  const cases = prefixes.map((prefix) => ({ words: [...prefix, ...words] }));
  const [measured] = await inRounds([group("start", 0, cases)], deadline, ({ start }) => start);
  if (!measured) return;
  const [plain = 0, guarded = 0] = medians(measured, ({ start }) => start);

  show(
    `Start, fork to the program's first byte; median of ${rounds(measured)}`,
    ["", "time", "cost"],
    [
      ["plain", ms(plain), ""],
      ["protected", ms(guarded), ms(guarded - plain)],
    ],
  );
  show(
    "Start by run, fork to the end of true; medians of 200, in turns",
    ["plain", "async-teardown run", "cost"],
    Array.from({ length: 5 }, () => measureRun(200)).map((each) => each.map((time) => ms(time / 1000))),
  );
}

export async function benchWaysToDie(deadline: number): Promise<void> {
  const bytes = GiB;
  const all: [string, string, string][] = [
    ["SIGKILL", "stay", SIGKILL],
    ["SIGTERM", "stay", SIGTERM],
    ["return from main", "exit", closeInput],
    ["exit_group from a thread", "thread", closeInput],
    ["abort", "abort", closeInput],
    ["SIGSEGV", "segv", closeInput],
  ];
  const groups = all.map(([name, way, signal]) => {
    const words = [hog, String(bytes), way];
    return group(name, bytes, [
      { words, signal },
      { words: [...protecting(), ...words], signal },
    ]);
  });
  const measured = await inRounds(groups, deadline, exitOf);

  show(
    `Exit time by way to die, ${sizeText(bytes)}; medians`,
    ["", "rounds", "plain", "protected", "sooner by"],
    measured
      .filter(({ reason }) => reason === undefined)
      .map((each) => {
        const [plain = 0, guarded = 0] = medians(each, exitOf);
        return [each.group.name, rounds(each), ms(plain), ms(guarded), times(plain / guarded)];
      }),
  );
  showMissing(measured);
}

export async function benchFallbacks(deadline: number): Promise<void> {
  const ENOSYS = 38;
  const denied = ["", "pidfd_open", "close_range", "pidfd_open,close_range"];
  const groups = denied.map((calls) => {
    const rules = calls.replaceAll(/\w+/g, (call) => `${call}:${ENOSYS}`);
    const words = [...protecting(), ...(rules ? [deny, rules] : []), hog, String(GiB), "stay"];
    return group(calls || "(this kernel)", GiB, [{ words }]);
  });
  const measured = await inRounds(groups, deadline, exitOf);

  show(
    "On older kernels, 1 GiB; medians",
    ["without", "rounds", "exit", "back"],
    measured
      .filter(({ reason }) => reason === undefined)
      .map((each) => [
        each.group.name,
        rounds(each),
        ...medians(each, exitOf).map(ms),
        ...medians(each, ({ back }) => back).map(ms),
      ]),
  );
  showMissing(measured);
}
