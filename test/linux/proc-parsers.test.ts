import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { directoryOf, isWithin, parseCgroupMounts, parseCgroups } from "../../src/linux/cgroup.js";
import { parsePids } from "../../src/linux/inner-pids.js";
import { parseResident, parseStat, parseStatusField } from "../../src/linux/procfs.js";
import { parseRecord } from "../../src/linux/protector-record.js";

/** Names of processes, which may hold anything but a NUL. */
const processName = fc.string({ maxLength: 15 }).map((name) => name.replaceAll("\0", " "));
/** Names of directories. */
const fileName = fc
  .string({ minLength: 1, unit: "grapheme" })
  .filter((name) => !/[/\0\n]|^\.\.?$/.test(name));
const path = fc.array(fileName, { minLength: 1 }).map((names) => `/${names.join("/")}`);

const escapeOctal = (text: string) =>
  text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);

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

describe("a process's PIDs", () => {
  it("are one for each namespace that it is seen in", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), (pids) => {
        expect(parsePids(parseStatusField(`NStgid:\t1\nNSpid:\t${pids.join("\t")}\n`, "NSpid"))).toEqual(
          pids,
        );
      }),
    );
    expect(parsePids(undefined)).toEqual([]);
  });
});

describe("/proc/<pid>/cgroup", () => {
  it("gives the two hierarchies that processes are ended by, whatever their paths are", () => {
    fc.assert(
      fc.property(path, path, (unified, named) => {
        const text = `3:cpu,cpuacct:/x\n2:name=systemd:${named}\n0::${unified}\n`;
        expect([...parseCgroups(text)]).toEqual([
          ["name=systemd", named],
          ["", unified],
        ]);
      }),
    );
  });

  it("is nothing where the text is something else", () => {
    fc.assert(fc.property(fc.string(), (text) => parseCgroups(text.replaceAll(":", "")).size === 0));
  });
});

describe("/proc/<pid>/mountinfo", () => {
  it("gives the mounts of both, version 2 first, with their paths unescaped", () => {
    fc.assert(
      fc.property(path, path, path, (root, unified, named) => {
        const mounts = parseCgroupMounts(
          [
            `1 2 0:3 / ${escapeOctal(named)} rw shared:9 - cgroup cgroup rw,xattr,name=systemd`,
            `2 2 0:4 ${escapeOctal(root)} ${escapeOctal(unified)} rw - cgroup2 cgroup2 rw`,
            "3 2 0:5 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
            "4 2 0:6 / /tmp rw - tmpfs cgroup2 rw",
          ].join("\n"),
        );
        expect(mounts).toEqual([
          { hierarchy: "", root, mountPoint: unified },
          { hierarchy: "name=systemd", root: "/", mountPoint: named },
        ]);
      }),
    );
  });
});

describe("a cgroup's directory", () => {
  const mount = { hierarchy: "", mountPoint: "/sys/fs/cgroup" } as const;

  it("lies below the mount point", () => {
    fc.assert(
      fc.property(path, (path) => {
        expect(directoryOf({ ...mount, root: "/" }, path)).toBe(`/sys/fs/cgroup${path}`);
        expect(directoryOf({ ...mount, root: "/top" }, `/top${path}`)).toBe(`/sys/fs/cgroup${path}`);
      }),
    );
  });

  it("is none for what the mount does not show", () => {
    expect(directoryOf({ ...mount, root: "/" }, "/..")).toBeUndefined();
    expect(directoryOf({ ...mount, root: "/" }, "/a/../../../tmp")).toBeUndefined();
    expect(directoryOf({ ...mount, root: "/top" }, "/topmost")).toBeUndefined();
  });

  it("is within itself and what is above it, not within what is called alike", () => {
    expect(isWithin("/a", "/a")).toBe(true);
    expect(isWithin("/a/b", "/a")).toBe(true);
    expect(isWithin("/a", "/")).toBe(true);
    expect(isWithin("/ab", "/a")).toBe(false);
  });
});

describe("what a holder records", () => {
  it("is recorded, with blanks behind", () => {
    const number = fc.maxSafeNat();
    fc.assert(
      fc.property(number, number, number, fc.nat({ max: 50 }), (bytes, seen, died, blanks) => {
        const text = `releasing bytes=${bytes} seen=${seen} died=${died}${" ".repeat(blanks)}`;
        expect(parseRecord(text)).toEqual({ state: "releasing", bytes, seen, died });
        expect(parseRecord(`holding${" ".repeat(blanks)}`)).toEqual({ state: "holding" });
        expect(parseRecord(`waiting${" ".repeat(blanks)}`)).toEqual({ state: "waiting" });
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => parseRecord(`x${text}`) === undefined));
  });

  it("is recorded by a helper with what it was asked for, and its workers", () => {
    const start = "releasing bytes=1 seen=2 died=3";
    const times = { state: "releasing", bytes: 1, seen: 2, died: 3 };
    const rates = fc.option(fc.maxSafeNat(), { nil: undefined });
    const asked = fc.constantFrom("normal", "low", "idle");

    fc.assert(
      fc.property(rates, asked, fc.integer({ min: 1, max: 64 }), (rate, priority, workers) => {
        const words = [
          start,
          ...(rate === undefined ? [] : [`rate=${rate}`]),
          ...(priority === "normal" ? [] : [`priority=${priority}`]),
          `workers=${workers}`,
        ];
        expect(parseRecord(words.join(" "))).toEqual({
          ...times,
          ...(rate !== undefined && { rate }),
          priority,
          workers,
        });
      }),
    );
    for (const words of ["workers=", "rate=1K workers=1", "priority=normal workers=1", "workers=1 rate=1"])
      expect(parseRecord(`${start} ${words}`)).toBeUndefined();
  });
});
