import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAtLeast, parseRelease } from "../../src/linux/kernel-version.js";
import { parseSelected, parseSwaps } from "../../src/linux/swap.js";

describe("a kernel release", () => {
  const number = fc.nat(200);

  it("is read whatever a distribution writes behind it", () => {
    fc.assert(
      fc.property(
        number,
        number,
        fc.constantFrom("", ".0", ".12-amd64", "-rc1", "+"),
        (major, minor, rest) => {
          expect(parseRelease(`${major}.${minor}${rest}`)).toEqual({ major, minor });
        },
      ),
    );
  });

  it("is compared as numbers are", () => {
    fc.assert(
      fc.property(number, number, number, number, (major, minor, otherMajor, otherMinor) => {
        const isLater = major * 1000 + minor >= otherMajor * 1000 + otherMinor;
        expect(isAtLeast({ major, minor }, otherMajor, otherMinor)).toBe(isLater);
      }),
    );
  });

  it("is none where the text starts otherwise", () => {
    fc.assert(fc.property(fc.string(), (text) => parseRelease(`x${text}`) === undefined));
  });
});

describe("/proc/swaps", () => {
  const heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority";
  const fileName = fc.stringMatching(/^\/[a-z0-9/ ]{1,30}( \(deleted\))?$/);
  const area = fc.record({ fileName, size: fc.nat(2 ** 30), used: fc.nat(2 ** 30), priority: fc.integer() });

  it("is summed up, whatever the files are called", () => {
    fc.assert(
      fc.property(fc.array(area), (areas) => {
        const lines = areas.map(
          ({ fileName, size, used, priority }) => `${fileName}\tfile\t\t${size}\t\t${used}\t\t${priority}`,
        );
        expect(parseSwaps([heading, ...lines, ""].join("\n"))).toEqual({
          total: areas.reduce((sum, { size }) => sum + size * 1024, 0),
          used: areas.reduce((sum, { used }) => sum + used * 1024, 0),
        });
      }),
    );
  });

  it("is no swap where there is none, and where it is something else", () => {
    expect(parseSwaps(heading)).toEqual({ total: 0, used: 0 });
    fc.assert(fc.property(fc.string(), (text) => parseSwaps(text.replace(/\d/g, "x")).total === 0));
  });
});

describe("a choice of /sys", () => {
  const words = fc.array(fc.stringMatching(/^[a-z_]{1,10}$/), { minLength: 1, maxLength: 5 });

  it("is the word in brackets", () => {
    fc.assert(
      fc.property(words, fc.nat(4), (words, index) => {
        const selected = words[index % words.length];
        const text = words.map((word, at) => (at === index % words.length ? `[${word}]` : word)).join(" ");
        expect(parseSelected(text)).toBe(selected);
      }),
    );
  });

  it("is none where no word is in brackets", () => {
    fc.assert(fc.property(fc.string(), (text) => parseSelected(text.replaceAll("[", "")) === undefined));
  });
});
