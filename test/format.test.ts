import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSize } from "../src/cli/units.js";
import { formatBytes, formatRate, formatSeconds } from "../src/format.js";
import { GiB, MiB } from "./support/memory.js";

describe("bytes", () => {
  it("are as people say them", () => {
    expect([0, 1023, 4096, 512 * MiB, 8 * GiB + MiB, 64n * BigInt(GiB), 2 ** 50].map(formatBytes)).toEqual([
      ...["0 B", "1023 B", "4 KiB", "512 MiB", "8.0 GiB", "64 GiB", "1 PiB"],
    ]);
    expect(formatRate(1.55 * GiB)).toBe("1.5 GiB/s");
  });

  it("never look like more than they are, nor like a tenth less", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        const text = formatBytes(bytes);
        const [number = "", unit = ""] = text.split(" ");
        const said = Number(number) * 1024 ** ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].indexOf(unit);

        expect(text).toMatch(/^\d{1,4}(\.\d)? ([KMGTP]i)?B$/);
        expect(said).toBeLessThanOrEqual(bytes);
        expect(said).toBeGreaterThanOrEqual(bytes * 0.9);
      }),
    );
  });

  it("are read back as they were where they are whole", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1023 }), fc.constantFrom("K", "M", "G", "T"), (n, unit) => {
        expect(formatBytes(parseSize(`${n}${unit}`))).toBe(`${n} ${unit}iB`);
      }),
    );
  });
});

describe("seconds", () => {
  it("are as exact as matters", () => {
    expect([0, 0.44, 9.94, 9.96, 12.3, 59.6, 200, 3599.6, 7500, 7199, 90_000].map(formatSeconds)).toEqual([
      ...[
        "0.0 s",
        "0.4 s",
        "9.9 s",
        "10 s",
        "12 s",
        "1 min",
        "3 min 20 s",
        "1 h",
        "2 h 5 min",
        "2 h",
        "25 h",
      ],
    ]);
  });

  it("are always said within a twentieth of a second, or of what they are", () => {
    const secondsOf = { s: 1, min: 60, h: 3600 } as Record<string, number>;
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds) => {
        const parts = [...formatSeconds(seconds).matchAll(/([\d.]+) (s|min|h)/g)];
        const said = parts.reduce(
          (sum, [, number, unit = ""]) => sum + Number(number) * (secondsOf[unit] ?? 0),
          0,
        );

        expect(Math.abs(said - seconds)).toBeLessThanOrEqual(Math.max(0.0501, seconds / 20));
      }),
    );
  });
});
