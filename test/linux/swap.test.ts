import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSwaps } from "../../src/linux/swap.js";

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
