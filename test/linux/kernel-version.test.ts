import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAtLeast, parseRelease } from "../../src/linux/kernel-version.js";

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
