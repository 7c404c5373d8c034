import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hugePageSizes, numaNodes } from "../../src/linux/huge-pages.js";
import { findShortages } from "../../src/memory/shortages.js";
import { makeCgroup, type TestCgroup } from "../support/cgroup.js";
import { MiB } from "../support/memory.js";
import { program } from "../support/paths.js";
import { ending, startReady } from "../support/start.js";

const size = 2 * MiB;
const count = 8;
const files = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const numberIn = (name: string) => Number(readFileSync(`${files}/${name}`, "utf8"));
const settings = ["nr_hugepages", "nr_overcommit_hugepages"] as const;
const [node = 0] = numaNodes();

/** Why there is no pool to be tested: one that others use would not stay as it is. */
function makePool(): string | undefined {
  if (process.getuid?.() !== 0 || !hugePageSizes().includes(size)) return "takes root, and pages of 2 MiB";
  if (numberIn("nr_hugepages") !== 0) return "somebody else has a pool";
  writeFileSync(`${files}/nr_hugepages`, String(count));
  if (numberIn("nr_hugepages") === count) return undefined;
  writeFileSync(`${files}/nr_hugepages`, "0");
  return "the kernel does not give as many";
}

const noPool = makePool();
const limited = noPool ?? makeCgroup("hugetlb");

/** A process that has some of them: it maps so many, and touches so many. */
const take = (mapped: number, touched: number) =>
  startReady([program("huge"), String(size), String(mapped), String(touched)]);

describe.skipIf(noPool)(`huge pages (${noPool ?? `${count} of 2 MiB`})`, () => {
  const former = new Map<string, number>();
  beforeAll(() => {
    for (const name of settings) former.set(name, name === "nr_hugepages" ? 0 : numberIn(name));
  });
  it.skipIf(typeof limited === "string")(
    `are those that the cgroup may have (${typeof limited === "string" ? limited : "a limit of 4"})`,
    () => {
      const { directory, path, version } = limited as TestCgroup;
      const shortages = (wanted: number) =>
        findShortages({ hugePages: [{ size, count: wanted }], cgroup: path });

      writeFileSync(`${directory}/hugetlb.2MB.${version === 1 ? "limit_in_bytes" : "max"}`, String(4 * size));
      expect(shortages(4)).toEqual([]);
      expect(shortages(5)).toMatchObject([
        { pool: { kind: "hugePages", size, path }, wanted: 5, available: 4, total: 4, possible: false },
      ]);
      expect(shortages(5)[0]?.sentence).toBe(`cgroup ${path}, 2 MiB huge pages: 5 wanted, its limit is 4`);
    },
  );

  afterAll(() => {
    for (const [name, value] of former) writeFileSync(`${files}/${name}`, String(value));
  });

  it("can be had while they are free", () => {
    expect(findShortages({ hugePages: [{ size, count }] })).toEqual([]);
    expect(findShortages({ hugePages: [{ size, count, node }] })).toEqual([]);
    expect(findShortages({ hugePages: [{ size, count: count + 1 }] })).toEqual([
      {
        pool: { kind: "hugePages", size, node: undefined },
        wanted: count + 1,
        available: count,
        total: count,
        possible: false,
        sentence: "2 MiB huge pages: 9 wanted, there are only 8",
      },
    ]);
  });

  it("are gone when they are reserved, also while nobody has touched them", async () => {
    const child = await take(5, 2);

    expect(numberIn("free_hugepages")).toBe(count - 2);
    expect(findShortages({ hugePages: [{ size, count: 3 }] })).toEqual([]);
    expect(findShortages({ hugePages: [{ size, count: 4 }] })).toMatchObject([
      { available: 3, possible: true, sentence: "2 MiB huge pages: 4 wanted, 3 available" },
    ]);
    expect(findShortages({ hugePages: [{ size, count: 4, node }] })).toMatchObject([
      { available: 3, sentence: `2 MiB huge pages of node ${node}: 4 wanted, 3 available` },
    ]);
    child.stdin?.end();
    await ending(child);
    expect(findShortages({ hugePages: [{ size, count }] })).toEqual([]);
  });

  it("add up, on nodes and on the machine", () => {
    const [most, one] = [
      { size, count: count - 1, node },
      { size, count: 1 },
    ];

    expect(findShortages({ hugePages: [most, one] })).toEqual([]);
    expect(findShortages({ hugePages: [most, one, one] })).toMatchObject([
      { pool: { node: undefined }, wanted: 9 },
    ]);
    expect(findShortages({ hugePages: [most, { ...most, count: 2 }] })).toMatchObject([
      { pool: { node }, wanted: 9, possible: false },
    ]);
  });

  it("that were taken from ordinary memory for a while are not counted on", async () => {
    writeFileSync(`${files}/nr_overcommit_hugepages`, "4");
    await take(count + 2, count + 2);

    expect(numberIn("nr_hugepages")).toBe(count + 2);
    expect(findShortages({ hugePages: [{ size, count: count + 1 }] })).toMatchObject([
      { available: 0, total: count, possible: false },
    ]);
  });
});

describe("huge pages that no machine has", () => {
  it("are refused, and those that it has are named", () => {
    const request = (words: object) => () => findShortages({ hugePages: [{ size, count: 1, ...words }] });
    const refusal = (message: RegExp, advice: RegExp) =>
      expect.objectContaining({
        code: "ERR_USAGE",
        message: expect.stringMatching(message),
        advice: expect.stringMatching(advice),
      });

    expect(request({ size: 3 * MiB })).toThrow(
      refusal(/no huge pages of 3 MiB$/, /^it has (\d+ [KMG]iB|none)/),
    );
    expect(request({ size: Number.NaN })).toThrow(refusal(/no huge pages/, /^it has /));
    expect(request({ count: 0 })).toThrow("not a whole number above 0");
    if (hugePageSizes().includes(size))
      expect(request({ node: 4711 })).toThrow(refusal(/on a NUMA node 4711$/, /^it has nodes \d/));
  });
});
