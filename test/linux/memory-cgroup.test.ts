import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { memoryIn, parseAmount, parseMemoryStat } from "../../src/linux/memory-cgroup.js";

const bytes = fc.maxSafeNat();

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
