import fc from "fast-check";
import { expect, it } from "vitest";
import { encodePlan } from "../../src/cli/plan.js";
import { splitAtNul } from "../../src/linux/bytes.js";

it("a plan is strings that each end with a NUL, the last of them empty", () => {
  const text = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });
  const name = fc.stringMatching(/^[A-Z_]+$/);

  fc.assert(
    fc.property(text, fc.nat(), fc.dictionary(name, text), (path, commandIndex, variables) => {
      const settings = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
      expect(splitAtNul(encodePlan({ path, commandIndex, variables }))).toEqual([
        path,
        String(commandIndex),
        ...settings,
        "",
      ]);
    }),
  );
});
