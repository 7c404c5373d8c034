import { resolve } from "node:path/posix";

/** A hierarchy of cgroups: version 2 (""), or one of version 1, by its name or a controller. cgroups(7). */
export type Hierarchy = "" | "name=systemd" | "memory" | "hugetlb";

/**
 * Those that processes are ended by: version 2, and the one that systemd makes for itself where version 2
 * is not in use.
 */
const endingHierarchies: readonly Hierarchy[] = ["", "name=systemd"];

/** Where a hierarchy is mounted. */
export interface CgroupMount {
  readonly hierarchy: Hierarchy;
  /** The cgroup that is seen at the mount point. */
  readonly root: string;
  readonly mountPoint: string;
}

/** The one that a list of controllers, or of mount options, names. */
function hierarchyIn(list: string, hierarchies: readonly Hierarchy[]): Hierarchy | undefined {
  const names = list.split(",");
  return hierarchies.find((hierarchy) => names.includes(hierarchy));
}

/** The cgroups of a process, from the text of /proc/<pid>/cgroup. */
export function parseCgroups(text: string, hierarchies = endingHierarchies): Map<Hierarchy, string> {
  const cgroups = new Map<Hierarchy, string>();

  for (const line of text.split("\n")) {
    const [, controllers = "?", path] = /^\d+:([^:]*):(\/.*)$/s.exec(line) ?? [];
    const hierarchy = hierarchyIn(controllers, hierarchies);
    if (hierarchy !== undefined && path !== undefined) cgroups.set(hierarchy, path);
  }
  return cgroups;
}

/** Space, tab, line break and backslash are written as \ooo; proc_pid_mountinfo(5). */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mounted hierarchies, in the order asked for, from the text of /proc/<pid>/mountinfo. */
export function parseCgroupMounts(text: string, hierarchies = endingHierarchies): CgroupMount[] {
  const mounts = new Map<Hierarchy, CgroupMount>();

  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root, mountPoint] = before.split(" ");
    const [type, , options] = after.split(" ");
    const list = type === "cgroup2" ? "" : (type === "cgroup" && options) || "?";
    const hierarchy = hierarchyIn(list, hierarchies);

    if (root === undefined || mountPoint === undefined || hierarchy === undefined) continue;
    if (!mounts.has(hierarchy))
      mounts.set(hierarchy, { hierarchy, root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint) });
  }
  return hierarchies.flatMap((hierarchy) => mounts.get(hierarchy) ?? []);
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

/**
 * The directory of a cgroup that a person named: a path in the tree, or with the mount point before it, as a
 * shell completes it. Undefined where it leads out of the tree.
 */
export function namedDirectory({ mountPoint }: CgroupMount, cgroup: string): string | undefined {
  const directory = resolve(isWithin(cgroup, mountPoint) ? cgroup : `${mountPoint}/${cgroup}`);
  return isWithin(directory, mountPoint) ? directory : undefined;
}
