import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration, parseHugePages, parseSize } from "../../src/cli/units.js";

const count = fc.integer({ min: 1, max: 1023 });
const unit = fc.constantFrom("K", "M", "G", "T");
const bytesOf = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/** Anything, and what is nearly right. */
const garbage = fc.oneof(
  fc.string(),
  fc.constantFrom("", "0", "-1", "+1", "1e3", "0x10", "Infinity", "NaN", "G", ".5G", "1.G", "1.5", "1 G"),
  fc.constantFrom("1GB", "1GiB", "1P", "1,5G", "１G", "1G\n", "9007199254740992", "9999999T", "0.0001K"),
);

/** Reads anything: either it is worth something, or it is refused as commander wants it. */
function refusesOrGives<T>(parse: (word: string) => T, isGood: (word: string, value: T) => boolean): void {
  fc.assert(
    fc.property(garbage, (word) => {
      try {
        return isGood(word, parse(word));
      } catch (error) {
        return error instanceof InvalidArgumentError && error.message.endsWith(".");
      }
    }),
  );
}

describe("a size", () => {
  it("is a number of units, in either case", () => {
    fc.assert(
      fc.property(count, unit, (n, unit) => {
        expect(parseSize(`${n}${unit}`)).toBe(n * bytesOf[unit]);
        expect(parseSize(`${n}${unit.toLowerCase()}`)).toBe(n * bytesOf[unit]);
        expect(parseSize(`${n}.5${unit}`)).toBe(n * bytesOf[unit] + bytesOf[unit] / 2);
      }),
    );
    expect(["64G", "512M", "2m", "1.5G", "4096"].map(parseSize)).toEqual([
      64 * 2 ** 30,
      512 * 2 ** 20,
      2 * 2 ** 20,
      1.5 * 2 ** 30,
      4096,
    ]);
  });

  it("is a whole number of bytes without a unit", () => {
    fc.assert(fc.property(fc.integer({ min: 1 }), (n) => parseSize(String(n)) === n));
  });

  it("is nothing else", () => {
    refusesOrGives(parseSize, (word, bytes) => /^[\d.]+[KMGT]?$/i.test(word) && bytes >= 1);
    for (const word of ["", "0", "0G", "1.5", "1e3", "1GB", "1GiB", "-1G", " 1G", "1G ", "1G\n", "9999999T"])
      expect(() => parseSize(word), word).toThrow("A size is a number above 0");
  });
});

describe("a time", () => {
  it("is a number of units, of seconds unless said", () => {
    expect(["30s", "500ms", "5m", "1h", "1.5s", "30", "0.5", "0"].map(parseDuration)).toEqual([
      30_000, 500, 300_000, 3_600_000, 1500, 30_000, 500, 0,
    ]);
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), (ms) => {
        expect(parseDuration(`${ms}ms`)).toBe(ms);
        expect(Math.abs(parseDuration(String(ms / 1000)) - ms)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is nothing else, and nothing that a timer cannot wait for", () => {
    refusesOrGives(parseDuration, (word, ms) => /^[\d.]+(ms|s|m|h)?$/.test(word) && ms < 2 ** 31);
    for (const word of ["", "s", "1d", "1S", "-1", "1e3", ".5s", "5 s", "1s\n", "1m30s", "infinity"])
      expect(() => parseDuration(word), word).toThrow("A time is a number");
    expect(() => parseDuration("600h")).toThrow("at most 24 days");
  });
});

describe("huge pages", () => {
  it("are a size, a number, and a node if it matters", () => {
    fc.assert(
      fc.property(count, unit, fc.integer({ min: 1 }), fc.nat(), (n, unit, pages, node) => {
        const request = { size: n * bytesOf[unit], count: pages };
        expect(parseHugePages(`${n}${unit}:${pages}`)).toEqual(request);
        expect(parseHugePages(`${n}${unit}:${pages}@${node}`)).toEqual({ ...request, node });
      }),
    );
    expect(parseHugePages("2M:512")).not.toHaveProperty("node");
  });

  it("are nothing else", () => {
    refusesOrGives(parseHugePages, (_, { count }) => count > 0);
    for (const word of [
      "",
      "2M",
      "2M:",
      ":512",
      "2M:0",
      "2M:1@",
      "2M:1@x",
      "2M:1.5",
      "2M:-1",
      "x:1",
      "2M:1:1",
    ])
      expect(() => parseHugePages(word), word).toThrow("Huge pages are their size");
  });
});
