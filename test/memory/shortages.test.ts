import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatBytes } from "../../src/format.js";
import { hostMemory } from "../../src/linux/host-memory.js";
import { findShortages } from "../../src/memory/shortages.js";
import { limitMemory, makeBelow, makeCgroup, move, startIn } from "../support/cgroup.js";
import { affordable, GiB, MiB } from "../support/memory.js";
import { programs } from "../support/paths.js";
import { until } from "../support/proc.js";
import { ending, hog, runToEnd, startReady } from "../support/start.js";

const made = process.getuid?.() === 0 ? makeCgroup("memory") : "limits are for root";
const absent = { path: "", directory: "", version: 1 } as const;
const parent = typeof made === "string" ? absent : made;
const cgroup = typeof made === "string" ? absent : makeBelow(made, "below");
const other = typeof made === "string" ? absent : makeBelow(made, "other");

const folder = mkdtempSync(join(programs, "cache-")); // on a disk, as what tmpfs has is not cache
afterAll(() => rmSync(folder, { recursive: true }));

const limit = Math.min(512 * MiB, affordable(GiB));
const half = limit / 2;
/** What a process has besides its memory: page tables, stacks, what each CPU has charged beforehand. */
const slack = 8 * MiB;

/** What the cgroup says that it has left, by asking it for all that it can have. */
function availableIn(path: string): number {
  const [shortage] = findShortages({ bytes: limit, cgroup: path });
  return shortage?.available ?? limit;
}

describe("the host", () => {
  it("lacks nothing that is available, and waits in vain for what it has not got", () => {
    const { total } = hostMemory();

    expect(findShortages({ bytes: MiB, cgroup: "/" })).toEqual([]);
    expect(findShortages({ bytes: BigInt(total), cgroup: "/" })).toMatchObject([
      { pool: { kind: "host" }, wanted: total, total, possible: true },
    ]);
    expect(findShortages({ bytes: 2n ** 60n, cgroup: "/" })).toMatchObject([
      {
        possible: false,
        sentence: `host memory: ${formatBytes(2 ** 60)} wanted, there are only ${formatBytes(total)}`,
      },
    ]);
  });

  it("does not count what is set aside as huge pages", () => {
    expect(hostMemory().total).toBeLessThanOrEqual(
      1024 * Number(/MemTotal: *(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]),
    );
  });

  it.each([{}, { hugePages: [] }, { bytes: 0 }, { bytes: -1 }, { bytes: 0.5 }, { bytes: Number.NaN }])(
    "is not asked for nothing, nor for nonsense: %o",
    (request) => {
      expect(() => findShortages(request)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
    },
  );
});

describe.skipIf(typeof made === "string")(
  `a cgroup with a limit (${typeof made === "string" ? made : `version ${made.version}`})`,
  () => {
    it("has what is below its limit and not in use, and more when that is given back", async () => {
      limitMemory(cgroup, limit);
      const child = await startReady(startIn(cgroup, hog(half, "exit")));
      const shortages = findShortages({ bytes: limit, cgroup: cgroup.path });

      expect(shortages).toMatchObject([
        { pool: { kind: "cgroup", path: cgroup.path }, wanted: limit, total: limit, possible: true },
      ]);
      expect(shortages[0]?.available).toBeLessThanOrEqual(half);
      expect(shortages[0]?.available).toBeGreaterThan(half - slack);
      expect(shortages[0]?.sentence).toMatch(
        new RegExp(`^cgroup ${cgroup.path}: ${formatBytes(limit)} wanted, \\d+(\\.\\d)? MiB available$`),
      );
      expect(findShortages({ bytes: half - slack, cgroup: cgroup.path })).toEqual([]);

      child.stdin?.end();
      await ending(child);
      await until(
        () => findShortages({ bytes: limit - slack, cgroup: cgroup.path }).length === 0,
        "it is back",
      );
    });

    it("has page cache, too, however often that was read", async () => {
      const file = join(folder, "file");
      const read = startIn(cgroup, ["dd", `if=${file}`, "of=/dev/null", "bs=1M"]);

      await runToEnd(
        startIn(cgroup, ["dd", "if=/dev/zero", `of=${file}`, "bs=1M", `count=${half / MiB}`, "conv=fsync"]),
      );
      await runToEnd(read);
      await runToEnd(read);
      expect(availableIn(cgroup.path)).toBeGreaterThan(limit - slack);

      // And it is true: a process gets it.
      const child = await startReady(startIn(cgroup, hog(limit - slack, "stay")));
      expect(availableIn(cgroup.path)).toBeLessThan(slack);
      child.kill("SIGKILL");
    });

    it("has not got the files of a tmpfs", async () => {
      await runToEnd(
        startIn(cgroup, ["dd", "if=/dev/zero", "of=/dev/shm/async-teardown-test", "bs=1M", "count=32"]),
      );
      const available = availableIn(cgroup.path);

      rmSync("/dev/shm/async-teardown-test");
      expect(available).toBeLessThanOrEqual(limit - 32 * MiB);
    });

    it("has no more than those above it, whoever uses that", async () => {
      limitMemory(parent, limit);
      limitMemory(cgroup, 2 * limit);
      await startReady(startIn(other, hog(half, "stay")));
      const shortages = findShortages({ bytes: half, cgroup: cgroup.path });

      expect(shortages).toMatchObject([{ pool: { kind: "cgroup", path: parent.path }, total: limit }]);
      expect(shortages[0]?.available).toBeGreaterThan(half - slack);
      expect(findShortages({ bytes: 1.5 * limit, cgroup: cgroup.path })).toMatchObject([
        { possible: false, sentence: expect.stringMatching(/ wanted, its limit is \d+ MiB$/) },
      ]);
      limitMemory(parent, 4 * limit);
      expect(findShortages({ bytes: half, cgroup: cgroup.path })).toEqual([]);
    });

    it("is the caller's own, unless another one is named", () => {
      const line = readFileSync("/proc/self/cgroup", "utf8")
        .split("\n")
        .find((each) => (parent.version === 1 ? /^\d+:([^:]*,)?memory[,:]/ : /^0::/).test(each));
      const path = line?.split(":").slice(2).join(":") ?? "";
      const directory = parent.directory.slice(0, -parent.path.length) + path;

      limitMemory(cgroup, limit);
      move(process.pid, cgroup);
      try {
        expect(findShortages({ bytes: limit })).toMatchObject([
          { pool: { kind: "cgroup", path: cgroup.path } },
        ]);
      } finally {
        move(process.pid, { ...cgroup, path, directory });
      }
      expect(findShortages({ bytes: limit })).not.toMatchObject([{ pool: { path: cgroup.path } }]);
    });

    it("may be named by its path in the tree, or with the mount point before it", () => {
      limitMemory(cgroup, limit);
      for (const name of [cgroup.path, cgroup.path.slice(1), `${cgroup.path}//`, cgroup.directory])
        expect(findShortages({ bytes: limit + 1, cgroup: name })).toMatchObject([
          { pool: { path: cgroup.path } },
        ]);
    });
  },
);

describe("a cgroup that is not there, or not in the tree,", () => {
  it.each(["/no/such", "/..", "/../../tmp", "/sys/fs/cgroup/../../../tmp", "/tmp", "/cgroup.procs"])(
    "is refused: %s",
    (name) => {
      expect(() => findShortages({ bytes: MiB, cgroup: name })).toThrow(
        expect.objectContaining({ code: "ERR_CGROUP", advice: expect.any(String) }),
      );
    },
  );
});
