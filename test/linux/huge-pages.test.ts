import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNodeName, parsePoolName, parseSelected } from "../../src/linux/huge-pages.js";

const kilobytes = fc.nat({ max: 2 ** 40 });

describe("the names of huge-page pools and of nodes", () => {
  it("are numbers between words", () => {
    fc.assert(fc.property(kilobytes, (kB) => parsePoolName(`hugepages-${kB}kB`) === kB * 1024));
    fc.assert(fc.property(fc.nat(), (node) => parseNodeName(`node${node}`) === node));
  });

  it("are nothing else", () => {
    fc.assert(fc.property(fc.string(), (name) => parsePoolName(name) === parseNodeName(`x${name}`)));
    for (const name of ["node", "node1x", "online", "possible", "hugepages-kB", "hugepages-2MB"])
      expect([parseNodeName(name), parsePoolName(name)]).toEqual([undefined, undefined]);
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
