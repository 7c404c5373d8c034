import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { namedDirectory, parseCgroupMounts, parseCgroups } from "../../src/linux/cgroup.js";
import { parseMeminfo } from "../../src/linux/host-memory.js";
import { controllerSize, hugePagesIn } from "../../src/linux/huge-page-cgroup.js";
import { parseNodeName, parsePoolName } from "../../src/linux/huge-pages.js";
import { memoryIn, parseAmount, parseMemoryStat } from "../../src/linux/memory-cgroup.js";

const kilobytes = fc.nat({ max: 2 ** 40 });
const bytes = fc.maxSafeNat();

describe("/proc/meminfo", () => {
  it("gives all and what is available, without what huge pages have", () => {
    fc.assert(
      fc.property(kilobytes, kilobytes, kilobytes, (total, available, huge) => {
        const text = `MemTotal:  ${total} kB\nMemFree: 1 kB\nMemAvailable: ${available} kB\n`;
        expect(parseMeminfo(text)).toEqual({ total: total * 1024, available: available * 1024 });
        expect(parseMeminfo(`${text}HugePages_Total: 9\nHugetlb: ${huge} kB\n`)).toEqual({
          total: (total - huge) * 1024,
          available: available * 1024,
        });
      }),
    );
  });

  it("is nothing where the text is something else", () => {
    const line = fc.tuple(fc.constantFrom("MemTotal:", "MemAvailable:", "XMemTotal: 1 kB"), fc.string());
    fc.assert(fc.property(fc.string(), (text) => parseMeminfo(text) === undefined));
    fc.assert(
      fc.property(fc.array(line.map((words) => words.join(""))), (lines) => {
        const memory = parseMeminfo(lines.join("\n"));
        return memory === undefined || memory.total >= 0;
      }),
    );
  });
});

describe("a number of bytes in a cgroup's file", () => {
  it("is that number, unless it stands for no limit", () => {
    fc.assert(fc.property(bytes, (bytes) => parseAmount(`${bytes}\n`) === bytes));
    for (const text of ["max\n", "9223372036854771712\n", "18446744073709551615\n", "", "-1\n", "1 2\n"])
      expect(parseAmount(text), text).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => parseAmount(`x${text}`) === undefined));
  });
});

describe("memory.stat", () => {
  it("gives the sum of the fields asked for, and of none that is called alike", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (inactive, active) => {
        const text = `total_inactive_file 5\ninactive_file ${inactive}\nactive_file ${active}\nfile 9\n`;
        expect(parseMemoryStat(text, ["inactive_file", "active_file"])).toBe(inactive + active);
      }),
    );
  });

  it("is nothing where the text is something else", () => {
    fc.assert(fc.property(fc.string(), (text) => parseMemoryStat(text, ["file"]) >= 0));
    expect(parseMemoryStat("file x\nfile\nfile -1\nfile 0x10\n", ["file"])).toBe(0);
  });
});

describe("the files of a cgroup", () => {
  const directory = mkdtempSync(join(tmpdir(), "async-teardown-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), `${text}\n`);
  };

  it("are no limit in version 2 where they are not there, or say so", () => {
    expect(memoryIn(directory, 2)).toBeUndefined();
    write({ "memory.max": "max", "memory.high": "max", "memory.current": "70" });
    expect(memoryIn(directory, 2)).toBeUndefined();
  });

  it("tell in version 2 what is left below the lower limit, with the page cache", () => {
    write({ "memory.max": "200", "memory.stat": "anon 40\ninactive_file 20\nactive_file 10" });
    expect(memoryIn(directory, 2)).toEqual({ limit: 200, available: 160 });
    write({ "memory.high": "100" });
    expect(memoryIn(directory, 2)).toEqual({ limit: 100, available: 60 });
  });

  it("never tell of more than the limit, nor of less than nothing", () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (limit, usage, cache) => {
        write({ "memory.max": `${limit}`, "memory.high": "max", "memory.current": `${usage}` });
        write({ "memory.stat": `inactive_file ${cache}` });
        const memory = memoryIn(directory, 2);

        expect(memory?.available).toBeGreaterThanOrEqual(0);
        expect(memory?.available).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 20 },
    );
  });
});

describe("where the memory controller is", () => {
  const hierarchies = ["memory", ""] as const;

  it("is a hierarchy of version 1, alone or with others, else that of version 2", () => {
    const unified = "1 2 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
    const shared = "2 2 0:5 / /sys/fs/cgroup/cpu,memory rw - cgroup cgroup rw,cpu,memory";
    const mountsOf = (...lines: string[]) =>
      parseCgroupMounts(lines.join("\n"), hierarchies).map(({ hierarchy }) => hierarchy);

    expect(mountsOf(unified, shared)).toEqual(["memory", ""]);
    expect(mountsOf(unified)).toEqual([""]);
    expect(mountsOf("3 2 0:5 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu")).toEqual([]);
    expect([...parseCgroups("4:cpu,memory:/a:b\n1:name=systemd:/x\n0::/c\n", hierarchies)]).toEqual([
      ["memory", "/a:b"],
      ["", "/c"],
    ]);
  });

  it("is not what processes are ended by", () => {
    expect(parseCgroups("4:memory:/a\n0::/c\n").has("memory")).toBe(false);
    expect(parseCgroupMounts("2 2 0:5 / /m rw - cgroup cgroup rw,memory")).toEqual([]);
  });
});

describe("a cgroup that a person names", () => {
  const mount = { hierarchy: "memory", root: "/docker/x", mountPoint: "/sys/fs/cgroup/memory" } as const;

  it("lies below the mount point, with or without that before it", () => {
    for (const name of ["/a/b", "a/b", "/sys/fs/cgroup/memory/a/b"])
      expect(namedDirectory(mount, name)).toBe("/sys/fs/cgroup/memory/a/b");
    for (const name of ["/", "//", "/.", "a/..", "/sys/fs/cgroup/memory/"])
      expect(namedDirectory(mount, name)).toBe("/sys/fs/cgroup/memory");
  });

  it("never lies outside of it", () => {
    const { mountPoint } = mount;
    const word = fc.constantFrom("..", ".", "", "a", "sys", "fs", "cgroup", "memory");
    fc.assert(
      fc.property(fc.array(word), (words) => {
        for (const name of [words.join("/"), `${mountPoint}/${words.join("/")}`]) {
          const directory = namedDirectory(mount, name);
          expect(directory === undefined || `${directory}/`.startsWith(`${mountPoint}/`)).toBe(true);
          expect(directory ?? "").not.toMatch(/\/\.|\/$/);
        }
      }),
    );
  });
});

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

describe("hugetlb.<size>.* of a cgroup", () => {
  it("is named as the controller names sizes", () => {
    expect([2 ** 16, 2 ** 21, 2 ** 30, 2 ** 34].map(controllerSize)).toEqual(["64KB", "2MB", "1GB", "16GB"]);
  });

  it.each([
    [1, { limit_in_bytes: 8, usage_in_bytes: 2, "rsvd.limit_in_bytes": 6, "rsvd.usage_in_bytes": 3 }],
    [2, { max: 8, current: 2, "rsvd.max": 6, "rsvd.current": 3 }],
  ] as const)("limits pages in use and pages promised (version %d)", (version, files) => {
    const there = mkdtempSync(join(tmpdir(), "async-teardown-"));

    expect(hugePagesIn(there, version, 2 ** 21)).toBeUndefined();
    for (const [name, pages] of Object.entries(files))
      writeFileSync(join(there, `hugetlb.2MB.${name}`), `${pages * 2 ** 21}\n`);
    expect(hugePagesIn(there, version, 2 ** 21)).toEqual({ limit: 6, available: 3 });
    rmSync(there, { recursive: true });
  });
});
