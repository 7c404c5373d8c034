import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { MiB } from "../support/memory.js";
import { handOutPieces, stopReaders } from "../support/readers.js";

afterAll(stopReaders);

const first = 0x7000_0000_0000;
const unit = MiB / 16;

interface Mapping {
  /** In bytes behind the one before. */
  gap: number;
  bytes: number;
  isPrivate: boolean;
}

/** As in /proc/<pid>/maps, and where each lies. */
function layOut(mappings: readonly Mapping[]) {
  let at = first;
  const ranges = mappings.map(({ gap, bytes, isPrivate }) => {
    const start = at + gap;
    at = start + bytes;
    return { start, end: at, isPrivate };
  });
  const maps = ranges.map(
    ({ start, end, isPrivate }) =>
      `${start.toString(16)}-${end.toString(16)} rw-${isPrivate ? "p" : "s"} 00000000 00:00 0 \n`,
  );
  return { maps: maps.join(""), ranges };
}

const one = (bytes: number) => layOut([{ gap: 0, bytes, isPrivate: true }]).maps;

/** So many units of node 0's memory, then as many of node 1's, and so on. */
const stripes = (bytes: number, nodes = "01") => [...nodes].map((node) => node.repeat(bytes / unit)).join("");
const nodeOf = (address: number, stripe: number) => Math.floor((address - first) / stripe) % 2;

const letters = "abcdefghi"; // 64 KiB to 16 MiB
const turn = (node: number, bytes: number) => `${node}${letters[Math.log2(bytes / unit)]}`;

describe("the pieces of a release", () => {
  const mapping = fc.record({
    gap: fc.nat(1024).map((units) => units * unit),
    bytes: fc.integer({ min: 1, max: 1024 }).map((units) => units * unit),
    isPrivate: fc.boolean(),
  });
  /** A few, more than can be set aside for, or none. Workers are on three of them at most. */
  const nodes = fc
    .tuple(fc.constantFrom(2, 3, 79), fc.array(fc.nat(79), { maxLength: 600 }))
    .map(([count, each]) =>
      each.map((node) => (node === 79 ? "-" : String.fromCharCode(48 + (node % count)))),
    );
  const turns = fc.array(
    fc.tuple(fc.nat(2), fc.constantFrom(...letters)).map((words) => words.join("")),
    { minLength: 1, maxLength: 8 },
  );

  it("are handed out once each, whichever nodes they are on, and whoever takes them", async () => {
    await fc.assert(
      fc.asyncProperty(
        nodes,
        turns,
        fc.array(mapping, { maxLength: 200 }),
        async (nodes, order, mappings) => {
          const { maps, ranges } = layOut(mappings);
          const pieces = await handOutPieces(nodes.join(""), order.join(""), maps);
          pieces.sort((a, b) => a.start - b.start);
          const within = ({ start, end }: { start: number; end: number }) =>
            pieces
              .map((piece) => Math.min(piece.end, end) - Math.max(piece.start, start))
              .filter((bytes) => bytes > 0)
              .reduce((sum, bytes) => sum + bytes, 0);

          for (const [index, piece] of pieces.entries())
            expect(piece.start).toBeGreaterThanOrEqual(pieces[index - 1]?.end ?? first);
          for (const range of ranges)
            expect(within(range)).toBe(range.isPrivate ? range.end - range.start : 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never go across what is not private memory", async () => {
    const { maps, ranges } = layOut([
      { gap: 0, bytes: unit, isPrivate: true },
      { gap: 0, bytes: unit, isPrivate: false },
      { gap: 0, bytes: unit, isPrivate: true },
    ]);

    for (const nodes of ["", "0"])
      expect((await handOutPieces(nodes, turn(0, MiB), maps)).map(({ start }) => start)).toEqual([
        ranges[0]?.start,
        ranges[2]?.start,
      ]);
  });

  it.each([
    ["halves", 128 * MiB, 1],
    ["stripes", 32 * MiB, 4],
    ["more stripes than can be set aside, which the other worker takes meanwhile", 2 * MiB, 200],
  ])("are those of the worker's own node first: %s", async (_, stripe, times) => {
    const bytes = Math.min(stripe, 16 * MiB);
    const pieces = await handOutPieces(
      stripes(stripe),
      turn(0, bytes) + turn(1, bytes),
      one(2 * stripe * times),
    );

    // Both are as fast.
    for (const { node, start, end } of pieces)
      expect([nodeOf(start, stripe), nodeOf(end - 1, stripe)]).toEqual([node, node]);
    expect(pieces).toHaveLength((2 * stripe * times) / bytes);
  });

  it("stay those of the worker's own node where most memory is of a node that has no worker", async () => {
    const nodes = "0212";
    const pieces = await handOutPieces(
      stripes(2 * MiB, nodes),
      turn(0, 2 * MiB) + turn(1, 2 * MiB),
      one(800 * 2 * MiB),
    );
    const on = pieces.map(({ node, start }) => ({
      node,
      of: Number(nodes[((start - first) / (2 * MiB)) % 4]),
    }));

    expect(on.filter(({ node, of }) => of !== 2 && of !== node)).toEqual([]);
    expect(pieces).toHaveLength(800);
  });

  it("are then those of a node that has no worker, before those of another worker's", async () => {
    const turns = [0, 0, 0, 0, 1, 0, 1].map((node) => turn(node, MiB)).join("");
    const pieces = await handOutPieces(stripes(MiB, "1120"), turns, one(4 * MiB));

    expect(pieces.map(({ node, start }) => [node, (start - first) / MiB])).toEqual([
      [0, 3],
      [1, 0],
      [0, 2],
      [1, 1],
    ]);
  });

  it("are then those of other nodes, in their order", async () => {
    const half = 64 * MiB;
    const pieces = await handOutPieces(stripes(half), turn(1, 16 * MiB), one(2 * half));

    expect(pieces.map(({ start }) => (start - first) / MiB)).toEqual([64, 80, 96, 112, 0, 16, 32, 48]);
  });

  it("are looked at less and less often, and so a node's own begin an eighth late at most", async () => {
    const half = 4096 * MiB;
    const pieces = await handOutPieces(stripes(half), turn(1, MiB), one(2 * half));
    const own = pieces.findIndex(({ start }) => start < first + half);

    expect(own).toBeGreaterThanOrEqual(((half / MiB) * 7) / 8);
    expect(own).toBeLessThanOrEqual(half / MiB);
  });

  it("are those of other nodes as well where no more can be set aside", async () => {
    const pieces = await handOutPieces(stripes(unit), turn(0, unit), one(200 * unit));
    const others = pieces.findIndex(({ start }) => nodeOf(start, unit) === 1);

    expect(others).toBe(65); // 64 are set aside between them
  });

  it("go by their addresses on a machine of one node", async () => {
    const pieces = await handOutPieces("", "0i1i", one(64 * MiB));

    expect(pieces.map(({ start }) => (start - first) / MiB)).toEqual([0, 16, 32, 48]);
  });
});
