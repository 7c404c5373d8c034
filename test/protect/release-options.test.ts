import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { priorities } from "../../src/linux/priority.js";
import {
  checkReleaseOptions,
  leastRate,
  mostRate,
  mostWorkers,
  type ReleaseOptions,
  releaseNumbers,
  releaseWords,
} from "../../src/protect/release-options.js";

const usual = { workers: "auto", rate: 0, priority: "normal" } as const;

const options = fc.record(
  {
    workers: fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: mostWorkers })),
    rate: fc.integer({ min: leastRate, max: mostRate }),
    priority: fc.constantFrom(...priorities),
  },
  { requiredKeys: [] },
);

describe("release options", () => {
  it("that make sense are taken, and told to the native code without a loss", () => {
    fc.assert(
      fc.property(options, (asked) => {
        checkReleaseOptions(asked);
        const said = Object.fromEntries(
          releaseWords(asked)
            .split("/")
            .slice(1)
            .map((word) => word.split(":") as [string, string]),
        );
        const { workers, rate, priority } = { ...usual, ...asked };
        expect({ ...usual, ...said }).toEqual({
          workers: workers === "auto" ? workers : String(workers),
          rate: rate === 0 ? rate : String(rate),
          priority,
        });
        expect(releaseNumbers(asked)).toEqual({
          workers: workers === "auto" ? 0 : workers,
          rate,
          priority: ["normal", "low", "idle"].indexOf(priority),
        });
      }),
    );
  });

  it.each([
    { workers: 0 },
    { workers: mostWorkers + 1 },
    { workers: 1.5 },
    { workers: Number.NaN },
    { workers: "2" },
    { workers: null },
    { workers: 2n },
    { rate: leastRate - 1 },
    { rate: mostRate + 1 },
    { rate: Number.POSITIVE_INFINITY },
    { rate: "2G" },
    { rate: 2n ** 31n },
    { priority: "high" },
    { priority: 2 },
  ])("that make none are refused: %o", (asked) => {
    const [name] = Object.keys(asked);

    expect(() => checkReleaseOptions(asked as ReleaseOptions)).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", message: expect.stringMatching(`^${name} is `) }),
    );
  });

  it.each([null, 5, "idle"])("are an object, and not %j", (asked) => {
    expect(() => checkReleaseOptions(asked as ReleaseOptions)).toThrow(
      expect.objectContaining({ code: "ERR_USAGE" }),
    );
  });
});
