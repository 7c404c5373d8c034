import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMeminfo } from "../../src/linux/host-memory.js";

const kilobytes = fc.nat({ max: 2 ** 40 });

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
