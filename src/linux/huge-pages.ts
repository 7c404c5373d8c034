import { existsSync, readFileSync } from "node:fs";
import { namesIn, readSetting } from "./kernel-file.js";

/** The huge pages of one size, on the whole machine or on one NUMA node, in pages. */
export interface HugePagePool {
  /** What is set aside for good; hugetlbpage.rst. */
  readonly total: number;
  /** What can be had now. */
  readonly available: number;
}

/** Reads "hugepages-2048kB" as bytes; undefined for another name. */
export function parsePoolName(name: string): number | undefined {
  const [, kilobytes] = /^hugepages-(\d+)kB$/.exec(name) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Reads "node1" as 1; undefined for another name. */
export function parseNodeName(name: string): number | undefined {
  const [, node] = /^node(\d+)$/.exec(name) ?? [];
  return node === undefined ? undefined : Number(node);
}

const nodes = "/sys/devices/system/node";

/** Where the pools are: those of the machine, or those of one node. */
function poolsDirectory(node: number | undefined): string {
  return node === undefined ? "/sys/kernel/mm/hugepages" : `${nodes}/node${node}/hugepages`;
}

const ascending = (a: number, b: number) => a - b;

/** The sizes of huge pages that this machine has, in bytes. */
export function hugePageSizes(): number[] {
  return namesIn(poolsDirectory(undefined))
    .flatMap((name) => parsePoolName(name) ?? [])
    .sort(ascending);
}

/** The NUMA nodes that have pools: those with memory. */
export function numaNodes(): number[] {
  return namesIn(nodes)
    .flatMap((name) => parseNodeName(name) ?? [])
    .filter((node) => existsSync(poolsDirectory(node)))
    .sort(ascending);
}

function countIn(directory: string, name: string): number {
  return Number(readFileSync(`${directory}/${name}_hugepages`, "utf8"));
}

/**
 * Looks at a pool that is there.
 *
 * Surplus pages come from ordinary memory and go back there when they are free: they are not of the pool.
 * Reserved pages are free still, but promised to mappings that have not touched them yet. The kernel promises
 * them without saying from which node, and refuses a mapping only by the sum of all nodes. So, on a node, what
 * can be had are its free pages, if that many are free of promises on the whole machine.
 */
export function hugePagePool(size: number, node: number | undefined): HugePagePool {
  const name = `hugepages-${size / 1024}kB`;
  const machine = `${poolsDirectory(undefined)}/${name}`;
  const directory = `${poolsDirectory(node)}/${name}`;
  const unpromised = countIn(machine, "free") - countIn(machine, "resv");

  return {
    total: countIn(directory, "nr") - countIn(directory, "surplus"),
    available: Math.max(0, Math.min(countIn(directory, "free"), unpromised)),
  };
}

/** The word in brackets, as in "always [madvise] never"; undefined where there is none. */
export function parseSelected(text: string): string | undefined {
  return /\[([^\]\s]+)\]/.exec(text)?.[1];
}

/** When the kernel takes huge pages by itself; undefined where it cannot. */
export function transparentHugePages(): string | undefined {
  return parseSelected(readSetting("/sys/kernel/mm/transparent_hugepage/enabled") ?? "");
}
