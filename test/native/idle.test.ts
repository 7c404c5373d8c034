import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { program } from "../support/paths.js";

/** Microseconds that passed, and those of them on a CPU. */
type Turn = readonly [took: number, used: number];

/** What one of so many workers with an idle priority does after each turn. */
function idle(turns: readonly Turn[], workers = 1): { pause: number; isFree: boolean }[] {
  const input = turns.map((turn) => `${turn.join(" ")}\n`).join("");
  const answers = execFileSync(program("idling"), [String(workers)], { input, encoding: "utf8" })
    .trimEnd()
    .split("\n");

  return answers.map((line) => {
    const [pause = 0, isFree] = line.split(" ").map(Number);
    return { pause, isFree: isFree === 1 };
  });
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe("a worker with an idle priority", () => {
  it("goes on where it has its CPU for itself, and soon knows", () => {
    const answers = idle(times(200, [100, 99]));

    expect(answers.every(({ pause }) => pause === 0)).toBe(true);
    expect(answers.at(-1)?.isFree).toBe(true);
    expect(answers.findIndex(({ isFree }) => isFree)).toBeLessThan(110);
  });

  it.each([1, 2, 64])("uses a 32nd of the time in a neighbour's gaps, all %i together", (workers) => {
    const turns = times(500, [150, 50] as const);
    const answers = idle(turns, workers);
    const slept = answers.reduce((sum, { pause }) => sum + pause, 0);

    expect(answers.some(({ isFree }) => isFree)).toBe(false);
    expect((workers * 500 * 50) / (500 * 150 + slept)).toBeCloseTo(1 / 32, 3);
  });

  it("does not sleep where it is kept waiting for longer than that", () => {
    const answers = idle(times(100, [3300, 100]));
    expect(answers.every(({ pause, isFree }) => pause === 0 && !isFree)).toBe(true);
  });

  it("makes use of a turn that was long in coming, but of no more than a tenth of a second", () => {
    const [, ...after] = idle([[60_000_000, 100], ...times(200, [100, 100] as const)]);
    const until = after.findIndex(({ pause }) => pause > 0);

    expect(until).toBeGreaterThan(28); // 100 ms at 31 times 100 µs
    expect(until).toBeLessThan(36);
  });

  it("is told again when a neighbour comes, or goes", () => {
    const free = times(300, [100, 100] as const);
    const wanted = times(300, [300, 100] as const);
    const answers = idle([...free, ...wanted, ...free]);

    expect([299, 599, 899].map((index) => answers[index]?.isFree)).toEqual([true, false, true]);
  });

  it("never uses more than its part, and that of its credit, while it has to wait", () => {
    const waiting = fc
      .integer({ min: 1, max: 5000 })
      .chain((used) => fc.integer({ min: 2 * used, max: 20 * used }).map((took): Turn => [took, used]));

    fc.assert(
      fc.property(fc.array(waiting, { minLength: 1, maxLength: 300 }), (all) => {
        const turns = [[20_000, 1] as const, ...all]; // so it knows
        const answers = idle(turns);
        const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
        const used = sum(turns.map(([, each]) => each));
        const passed = sum(turns.map(([took]) => took)) + sum(answers.map(({ pause }) => pause));

        expect(answers.some(({ isFree }) => isFree)).toBe(false);
        expect(used * 32).toBeLessThanOrEqual(passed + 100_000 + turns.length);
      }),
      { numRuns: 50 },
    );
  });
});
