import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  directoryOf,
  isWithin,
  namedDirectory,
  parseCgroupMounts,
  parseCgroups,
} from "../../src/linux/cgroup.js";

/** Names of directories. */
const fileName = fc
  .string({ minLength: 1, unit: "grapheme" })
  .filter((name) => !/[/\0\n]|^\.\.?$/.test(name));
const path = fc.array(fileName, { minLength: 1 }).map((names) => `/${names.join("/")}`);

const escapeOctal = (text: string) =>
  text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);

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
