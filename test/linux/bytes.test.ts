import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitAtNul, toBuffer, toBytes, toText } from "../../src/linux/bytes.js";

const bytes = (options?: fc.IntArrayConstraints) => fc.uint8Array(options).map((array) => Buffer.from(array));

describe("bytes", () => {
  it("come back as they went, whatever they are", () => {
    fc.assert(fc.property(bytes(), (buffer) => toBuffer(buffer.toString("latin1")).equals(buffer)));
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => toText(toBytes(text)) === text));
  });

  it("are split where a NUL ends each", () => {
    const strings = fc.array(
      fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) }),
    );
    fc.assert(
      fc.property(strings, (words) => {
        const contents = toBuffer(words.map((word) => `${word}\0`).join(""));
        expect(splitAtNul(contents)).toEqual(words);
      }),
    );
  });
});
