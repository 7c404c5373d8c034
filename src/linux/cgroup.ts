/**
 * A hierarchy of cgroups that processes are ended by: version 2 (""), and the one that systemd makes for
 * itself where version 2 is not in use ("name=systemd"). cgroups(7).
 */
export type Hierarchy = "" | "name=systemd";

/** Where a hierarchy is mounted. */
export interface CgroupMount {
  readonly hierarchy: Hierarchy;
  /** The cgroup that is seen at the mount point. */
  readonly root: string;
  readonly mountPoint: string;
}

function isHierarchy(text: string): text is Hierarchy {
  return text === "" || text === "name=systemd";
}

/** The cgroups of a process, from the text of /proc/<pid>/cgroup. */
export function parseCgroups(text: string): Map<Hierarchy, string> {
  const cgroups = new Map<Hierarchy, string>();

  for (const line of text.split("\n")) {
    const [, controllers = "?", path] = /^\d+:([^:]*):(\/.*)$/s.exec(line) ?? [];
    if (isHierarchy(controllers) && path !== undefined) cgroups.set(controllers, path);
  }
  return cgroups;
}

/** Space, tab, line break and backslash are written as \ooo; proc_pid_mountinfo(5). */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mounted hierarchies, version 2 first, from the text of /proc/<pid>/mountinfo. */
export function parseCgroupMounts(text: string): CgroupMount[] {
  const mounts = new Map<Hierarchy, CgroupMount>();

  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root, mountPoint] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    const hierarchy =
      type === "cgroup2"
        ? ""
        : type === "cgroup"
          ? options.split(",").find((o) => o === "name=systemd")
          : "?";

    if (root === undefined || mountPoint === undefined || hierarchy === undefined) continue;
    if (isHierarchy(hierarchy) && !mounts.has(hierarchy))
      mounts.set(hierarchy, { hierarchy, root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint) });
  }
  return [...mounts.values()].sort((a, b) => a.hierarchy.length - b.hierarchy.length);
}

/** The directory of a cgroup; undefined where the mount does not show it. */
export function directoryOf({ root, mountPoint }: CgroupMount, path: string): string | undefined {
  const base = root === "/" ? "" : root;

  if (path.split("/").includes("..")) return undefined; // above the root of this cgroup namespace
  if (path !== base && !path.startsWith(`${base}/`)) return undefined;
  return mountPoint + path.slice(base.length).replace(/\/$/, "");
}

/** Whether a cgroup is another one, or below it; what ends that ends this. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(other.endsWith("/") ? other : `${other}/`);
}
