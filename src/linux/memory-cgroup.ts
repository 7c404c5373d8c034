import { cgroupLevels } from "./cgroup-levels.js";
import { readAll } from "./kernel-file.js";

/** The memory of a cgroup that limits it, in bytes. */
interface MemoryLeft {
  readonly limit: number;
  /** What can be had below the limit without swapping. */
  readonly available: number;
}

export interface MemoryCgroup extends MemoryLeft {
  /** Its path in the tree. */
  readonly path: string;
}

/** The names that the same things have in version 1 and 2. */
interface Files {
  readonly limits: readonly string[];
  readonly usage: string;
  /** The fields of memory.stat for page cache, those below the cgroup among them. */
  readonly cache: readonly string[];
}

/*
 * Page cache counts as available, whether the kernel thinks it in use (active) or not. A cgroup comes to its
 * limit only when its usage "can't be reduced" (memory.max, cgroup-v2.rst), and reclaim works through both of
 * these lists; MemAvailable of the host is reckoned by both as well (proc.rst). What kubelet takes, the
 * inactive list alone, calls a cgroup full for ever that only read its files twice. What is on neither list
 * (tmpfs, locked pages) is not counted, nor is slab: version 1 does not tell of it, and some of it is in use.
 *
 * Beyond memory.high the kernel slows the cgroup down and swaps: there is no room there, either.
 */
const filesOf: Readonly<Record<1 | 2, Files>> = {
  1: {
    limits: ["memory.limit_in_bytes"],
    usage: "memory.usage_in_bytes",
    cache: ["total_inactive_file", "total_active_file"],
  },
  2: {
    limits: ["memory.max", "memory.high"],
    usage: "memory.current",
    cache: ["inactive_file", "active_file"],
  },
};

/** Reads a number of bytes; undefined where it stands for no limit: "max", or the largest of version 1. */
export function parseAmount(text: string): number | undefined {
  const bytes = /^\d+\n?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The sum of some fields in the text of memory.stat; what is missing is nothing. */
export function parseMemoryStat(text: string, fields: readonly string[]): number {
  return text
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([name = "", value = ""]) => fields.includes(name) && /^\d+$/.test(value))
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

/** What a cgroup has left, from the files in its directory; undefined where it does not limit memory. */
export function memoryIn(directory: string, version: 1 | 2): MemoryLeft | undefined {
  const files = filesOf[version];
  const limits = files.limits.flatMap((file) => parseAmount(readAll(`${directory}/${file}`)) ?? []);
  const usage = parseAmount(readAll(`${directory}/${files.usage}`));
  const limit = Math.min(...limits);

  if (limits.length === 0 || usage === undefined) return undefined;
  const cache = parseMemoryStat(readAll(`${directory}/memory.stat`), files.cache);
  return { limit, available: Math.max(0, limit - Math.max(0, usage - cache)) };
}

/**
 * The cgroups that limit what a process in this cgroup can have: itself, and those above it.
 * @param cgroup as a person names it, or undefined: that of this process
 * @throws AsyncTeardownError ERR_CGROUP where there is none of that name
 */
export function memoryCgroups(cgroup: string | undefined): MemoryCgroup[] {
  return cgroupLevels("memory", cgroup).flatMap(({ path, directory, version }) => {
    const memory = memoryIn(directory, version);
    return memory ? [{ path, ...memory }] : [];
  });
}
