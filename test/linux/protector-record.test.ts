import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/linux/protector-record.js";

describe("what a protector records", () => {
  it("is recorded, with blanks behind", () => {
    const number = fc.maxSafeNat();
    fc.assert(
      fc.property(number, number, number, fc.nat({ max: 50 }), (bytes, seen, died, blanks) => {
        const text = `releasing bytes=${bytes} seen=${seen} died=${died}${" ".repeat(blanks)}`;
        expect(parseRecord(text)).toEqual({ state: "releasing", bytes, died });
        expect(parseRecord(`holding${" ".repeat(blanks)}`)).toEqual({ state: "holding" });
        expect(parseRecord(`waiting${" ".repeat(blanks)}`)).toEqual({ state: "waiting" });
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => parseRecord(`x${text}`) === undefined));
  });

  it("is recorded by a helper with what it was asked for, and its workers", () => {
    const start = "releasing bytes=1 seen=2 died=3";
    const times = { state: "releasing", bytes: 1, died: 3 };
    const rates = fc.option(fc.maxSafeNat(), { nil: undefined });
    const asked = fc.constantFrom("normal", "low", "idle");

    fc.assert(
      fc.property(rates, asked, fc.integer({ min: 1, max: 64 }), (rate, priority, workers) => {
        const words = [
          start,
          ...(rate === undefined ? [] : [`rate=${rate}`]),
          ...(priority === "normal" ? [] : [`priority=${priority}`]),
          `workers=${workers}`,
        ];
        expect(parseRecord(words.join(" "))).toEqual({
          ...times,
          ...(rate !== undefined && { rate }),
          priority,
          workers,
        });
      }),
    );
    for (const words of ["workers=", "rate=1K workers=1", "priority=normal workers=1", "workers=1 rate=1"])
      expect(parseRecord(`${start} ${words}`)).toBeUndefined();
  });
});
