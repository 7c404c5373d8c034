import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseResident, parseStat, parseStatusField } from "../../src/linux/procfs.js";

/** Names of processes, which may hold anything but a NUL. */
const processName = fc.string({ maxLength: 15 }).map((name) => name.replaceAll("\0", " "));

describe("/proc/<pid>/stat", () => {
  it("is read whatever the process calls itself", () => {
    const flags = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(processName, fc.constantFrom("R", "S", "Z", "D"), flags, (name, state, flags) => {
        const text = `7 (${name}) ${state} 1 7 7 0 -1 ${flags} 100 0 0 0 1 2 0 0 20 0 3 0 4711 0\n`;
        expect(parseStat(text)).toEqual({
          name,
          state,
          isKernelThread: (flags & 0x200000) !== 0,
          isExiting: (flags & 0x4) !== 0,
          isForkWithoutExec: (flags & 0x40) !== 0,
          threads: 3,
          startTime: 4711,
        });
      }),
    );
  });

  it("is nothing where the text is none", () => {
    fc.assert(fc.property(fc.string(), (text) => parseStat(text.replaceAll(")", "")) === undefined));
  });
});

describe("/proc/<pid>/status", () => {
  it("gives a field, and not one whose name only ends or begins alike", () => {
    const text = "Name:\tx\nVmRSS:\t  12 kB\nPid:\t7\nTracerPid:\t0\n";
    expect(["Pid", "VmRSS", "Vm", "None"].map((field) => parseStatusField(text, field))).toEqual([
      "7",
      "12 kB",
      undefined,
      undefined,
    ]);
  });
});

describe("what a process has in memory", () => {
  it("is its resident pages and its huge pages", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (kB, huge) => {
        const status = `Name:\tx\nVmRSS:\t  ${kB} kB\nRssAnon:\t 7 kB\nHugetlbPages:\t ${huge} kB\nThreads:\t1\n`;
        expect(parseResident(status)).toBe((kB + huge) * 1024);
      }),
    );
  });

  it("is not known where it has let go of its address space", () => {
    expect(parseResident("Name:\tcleanup/7\nState:\tR (running)\nThreads:\t1\n")).toBeUndefined();
  });
});
