/* Cases are run in rounds until the time is used up, or until more of them would change nothing. */
import { freemem } from "node:os";
import { note } from "./report.js";
import { median } from "./units.js";

/** What is compared with each other: in each round, one after the other. */
export interface Group<Result> {
  readonly name: string;
  /** What it fills at once. */
  readonly bytes: number;
  readonly cases: readonly (() => Result | Promise<Result>)[];
}

export interface Measured<Result> {
  readonly group: Group<Result>;
  /** For each case, a result a round. */
  readonly results: readonly (readonly Result[])[];
  /** Why there are none. */
  readonly reason?: string;
}

/** Memory may be filled up to this. */
export const fillable = () => Math.min(freemem(), process.constrainedMemory() || Infinity) * 0.9;

/** So many turns, or as many as there is time for, by the longest so far, but one at least. */
export function* turns(most: number, deadline: number): Generator<number> {
  let longest = 0;

  for (let turn = 0; turn < most && (turn === 0 || performance.now() + longest < deadline); turn++) {
    const start = performance.now();
    yield turn;
    longest = Math.max(longest, performance.now() - start);
  }
}

const leastRounds = 10;
const mostRounds = 100;

/** Whether the medians would move by some 2 % at most: by the spread of the middle half. */
export function areStable(figures: readonly (readonly number[])[]): boolean {
  return figures.every((each) => {
    const sorted = [...each].sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * sorted.length)] ?? 0;
    return (at(0.75) - at(0.25)) / Math.sqrt(each.length) < 0.02 * median(each);
  });
}

/**
 * Runs the groups, always the one that has had the least time: so large ones have fewer rounds, and come last.
 * @param deadline by performance.now()
 * @param figureOf what has to be stable of a result
 */
export async function inRounds<Result>(
  groups: readonly Group<Result>[],
  deadline: number,
  figureOf: (result: Result) => number,
): Promise<Measured<Result>[]> {
  const all = groups.map((group) => ({
    group,
    results: group.cases.map((): Result[] => []),
    used: 0,
    longest: 0,
  }));
  const reasons = new Map<Group<Result>, string>();
  let left = [...all];

  const isOver = ({ group, results, longest }: (typeof all)[number]): boolean => {
    const rounds = results[0]?.length ?? 0;
    const isFull = group.bytes > fillable();

    if (isFull && rounds === 0) reasons.set(group, "more than is free, less a tenth");
    if (isFull || rounds >= mostRounds || performance.now() + longest > deadline) return true;
    return rounds >= leastRounds && areStable(results.map((each) => each.map(figureOf)));
  };

  for (;;) {
    left = left.filter((each) => !isOver(each));
    const [next] = left.sort((a, b) => a.used - b.used || a.group.bytes - b.group.bytes);
    if (!next) break;
    note(`${next.group.name}, round ${(next.results[0]?.length ?? 0) + 1}`);
    const start = performance.now();
    for (const [index, run] of next.group.cases.entries()) next.results[index]?.push(await run());
    const took = performance.now() - start;
    next.used += took;
    next.longest = Math.max(next.longest, took);
  }
  note("");
  return all.map(({ group, results }) =>
    results[0]?.length
      ? { group, results }
      : { group, results, reason: reasons.get(group) ?? "no time left" },
  );
}

/** Says what was not measured, and why. */
export function showMissing(measured: readonly Measured<unknown>[]): void {
  for (const { group, reason } of measured)
    if (reason !== undefined) console.log(`not measured: ${group.name}: ${reason}`);
}
