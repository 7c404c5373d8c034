import { expect, it, vi } from "vitest";
import { findShortages } from "../../src/memory/shortages.js";

const size = 2 ** 21;

// Two nodes with four pages each, all free; but two are promised to a mapping, nobody knows from which node.
vi.mock("../../src/linux/huge-pages.js", () => ({
  hugePageSizes: () => [2 ** 21],
  numaNodes: () => [0, 1],
  hugePagePool: (_: number, node?: number) =>
    node === undefined ? { total: 8, available: 6 } : { total: 4, available: 4 },
}));

it("huge pages of each node that are there do not make up for those of all that are promised", () => {
  const [first, second] = [
    { size, count: 4, node: 0 },
    { size, count: 3, node: 1 },
  ];

  expect(findShortages({ hugePages: [first] })).toEqual([]);
  expect(findShortages({ hugePages: [second] })).toEqual([]);
  expect(findShortages({ hugePages: [first, second] })).toMatchObject([
    { pool: { node: undefined }, wanted: 7, available: 6, possible: true },
  ]);
});
