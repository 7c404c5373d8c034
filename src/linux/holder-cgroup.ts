import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { AsyncTeardownError } from "../errors.js";
import {
  type CgroupMount,
  directoryOf,
  type Hierarchy,
  isWithin,
  namedDirectory,
  parseCgroupMounts,
  parseCgroups,
} from "./cgroup.js";
import { readAll } from "./kernel-file.js";

/** Where a holder is to run: the cgroup.procs that it enters, open for writing. */
export interface HolderCgroup {
  readonly descriptors: readonly number[];
  /** Why the holder stays in the cgroup of this process, as a sentence; undefined where it does not. */
  readonly warning?: string;
}

/** The cgroup of holders, at the top of the tree: nobody's whole cgroup is ended there. */
const ownCgroup = "async-teardown";

function openProcs(directory: string): number {
  return openSync(`${directory}/cgroup.procs`, constants.O_WRONLY | constants.O_NOFOLLOW);
}

export function closeHolderCgroup({ descriptors }: HolderCgroup): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}

/** Opens them all, or none. */
function openAll(directories: readonly string[]): HolderCgroup {
  const descriptors: number[] = [];

  try {
    for (const directory of directories) descriptors.push(openProcs(directory));
    return { descriptors };
  } catch (error) {
    closeHolderCgroup({ descriptors });
    throw error;
  }
}

function whyNotWritable(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  return `${path} cannot be written (${code})`;
}

function stay(why: string, target: Map<Hierarchy, string>): HolderCgroup {
  const own = parseCgroups(readAll("/proc/self/cgroup"));
  const shared = [...own].find(([hierarchy, path]) => {
    const other = target.get(hierarchy);
    return other !== undefined && other !== "/" && isWithin(path, other);
  });
  const warning = shared
    ? `the holder stays in the cgroup of this process, ${shared[1]}, and ends where all of the target's cgroup is ended: ${why}`
    : `the holder stays in the cgroup of this process: ${why}`;

  return { descriptors: [], warning };
}

/** The hierarchies that holders are placed in. */
export function mountedHierarchies(): CgroupMount[] {
  return parseCgroupMounts(readAll("/proc/self/mountinfo"));
}

/** The directory of the cgroup that holders have for themselves. */
export function ownCgroupIn({ mountPoint }: CgroupMount): string {
  return `${mountPoint}/${ownCgroup}`;
}

function makeOwnCgroup(mount: CgroupMount): string {
  const directory = ownCgroupIn(mount);

  try {
    mkdirSync(directory, { mode: 0o755 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw error;
  }
  return directory;
}

function outside(mounts: readonly CgroupMount[], target: Map<Hierarchy, string>): HolderCgroup {
  if (mounts.length === 0) return stay("no cgroup tree is mounted", target);
  try {
    return openAll(mounts.map(makeOwnCgroup));
  } catch (error) {
    return stay(whyNotWritable(error), target);
  }
}

function refuseCgroup(cgroup: string, why: string, cause?: unknown): never {
  throw new AsyncTeardownError("ERR_CGROUP", `the holder cannot enter the cgroup '${cgroup}': ${why}`, {
    advice: "give one that is there and that this user may write to, as a path in the cgroup tree",
    cause,
  });
}

function named(mounts: readonly CgroupMount[], cgroup: string): HolderCgroup {
  const [mount] = mounts;

  if (!mount) return refuseCgroup(cgroup, "no cgroup tree is mounted");

  try {
    return openAll([namedDirectory(mount, cgroup) ?? refuseCgroup(cgroup, "it leads out of the tree")]);
  } catch (error) {
    if (error instanceof AsyncTeardownError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return refuseCgroup(cgroup, code === "ENOENT" ? "there is no such cgroup" : whyNotWritable(error), error);
  }
}

function sameAs(mounts: readonly CgroupMount[], target: Map<Hierarchy, string>): HolderCgroup {
  const directories = mounts.map((mount) => directoryOf(mount, target.get(mount.hierarchy) ?? "/.."));

  try {
    return openAll(
      directories.map((directory) => directory ?? refuseCgroup("same", "it is not in the mounted tree")),
    );
  } catch (error) {
    if (error instanceof AsyncTeardownError) throw error;
    return refuseCgroup("same", whyNotWritable(error), error);
  }
}

/**
 * Finds where a holder is to run.
 * @param cgroup "same" as the target's, a path in the cgroup tree, or undefined: outside the target's, in
 *   a cgroup that holders have for themselves, which is made where it is missing
 * @param targetCgroups the text of the target's /proc/<pid>/cgroup
 * @throws AsyncTeardownError ERR_CGROUP where it cannot run in the cgroup asked for
 */
export function openHolderCgroup(cgroup: string | undefined, targetCgroups: string): HolderCgroup {
  const mounts = mountedHierarchies();
  const target = parseCgroups(targetCgroups);

  if (cgroup === undefined) return outside(mounts, target);
  return cgroup === "same" ? sameAs(mounts, target) : named(mounts, cgroup);
}
