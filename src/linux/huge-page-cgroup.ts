import { cgroupLevels, hasController } from "./cgroup-levels.js";
import { readAll } from "./kernel-file.js";
import { parseAmount } from "./memory-cgroup.js";

/** The huge pages of one size that a cgroup may have, in pages. */
export interface HugePageCgroup {
  /** Its path in the tree. */
  readonly path: string;
  readonly limit: number;
  readonly available: number;
}

/** How the hugetlb controller calls a size in the names of its files: 64KB, 2MB, 1GB; hugetlb_cgroup.c, mem_fmt. */
export function controllerSize(bytes: number): string {
  if (bytes >= 2 ** 30) return `${Math.floor(bytes / 2 ** 30)}GB`;
  return bytes >= 2 ** 20 ? `${Math.floor(bytes / 2 ** 20)}MB` : `${Math.floor(bytes / 2 ** 10)}KB`;
}

/**
 * Limit and usage, of pages in use and of pages promised to mappings (rsvd, from Linux 5.7): a start needs both. Past
 * the second mmap fails; past the first the process is ended by SIGBUS; hugetlb.rst.
 */
const filesOf: Readonly<Record<1 | 2, readonly (readonly [limit: string, usage: string])[]>> = {
  1: [
    ["limit_in_bytes", "usage_in_bytes"],
    ["rsvd.limit_in_bytes", "rsvd.usage_in_bytes"],
  ],
  2: [
    ["max", "current"],
    ["rsvd.max", "rsvd.current"],
  ],
};

/** What a cgroup has left of huge pages, from the files in its directory; undefined where it does not limit them. */
export function hugePagesIn(
  directory: string,
  version: 1 | 2,
  size: number,
): Pick<HugePageCgroup, "limit" | "available"> | undefined {
  const start = `${directory}/hugetlb.${controllerSize(size)}.`;
  const limits = filesOf[version].flatMap(([limitName, usageName]) => {
    const limit = parseAmount(readAll(start + limitName));
    const usage = parseAmount(readAll(start + usageName)) ?? 0;
    return limit === undefined ? [] : [{ limit, left: Math.max(0, limit - usage) }];
  });

  if (limits.length === 0) return undefined;
  return {
    limit: Math.floor(Math.min(...limits.map(({ limit }) => limit)) / size),
    available: Math.floor(Math.min(...limits.map(({ left }) => left)) / size),
  };
}

/**
 * The cgroups that limit the huge pages that a process in this cgroup can have: itself, and those above it.
 * @throws AsyncTeardownError ERR_CGROUP where there is none of that name
 */
export function hugePageCgroups(cgroup: string | undefined, size: number): HugePageCgroup[] {
  if (!hasController("hugetlb")) {
    if (cgroup !== undefined) cgroupLevels("memory", cgroup); // that it is there at all
    return [];
  }
  return cgroupLevels("hugetlb", cgroup).flatMap(({ path, directory, version }) => {
    const left = hugePagesIn(directory, version, size);
    return left ? [{ path, ...left }] : [];
  });
}
