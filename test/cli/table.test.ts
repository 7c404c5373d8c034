import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { alignRows, cut } from "../../src/cli/table.js";

const text = fc.string({ unit: "grapheme" });

describe("cutting text", () => {
  it("leaves what fits", () => {
    fc.assert(
      fc.property(text, (all) => {
        expect(cut(all, stringWidth(all))).toBe(all);
      }),
    );
  });

  it("never needs more columns than there are, and says that something is gone", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 20 }), (all, width) => {
        fc.pre(stringWidth(all) > width);
        expect(stringWidth(cut(all, width))).toBeLessThanOrEqual(width);
        expect(cut(all, width)).toMatch(/…$/);
      }),
    );
  });

  it("counts a wide character as two, and does not halve one", () => {
    expect(cut("日本語", 5)).toBe("日本…");
    expect(cut("日本語", 4)).toBe("日…");
  });
});

describe("rows of cells", () => {
  it("has text begin and numbers end where those above do, without blanks at the end", () => {
    const rows = [
      ["NAME", "SIZE", "STATE"],
      ["日本", "7", "\x1b[1mx\x1b[22m"],
      ["redis", "1024", ""],
    ];
    expect(alignRows(rows, [false, true, false], 2)).toBe(
      ["NAME   SIZE  STATE", "日本      7  \x1b[1mx\x1b[22m", "redis  1024"].join("\n"),
    );
  });
});
