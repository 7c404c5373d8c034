import { AsyncTeardownError } from "../errors.js";
import { formatBytes } from "../format.js";
import { hugePageCgroups } from "../linux/hugepage-cgroup.js";
import { hugePagePool, hugePageSizes, numaNodes } from "../linux/hugepages.js";
import { hostMemory } from "../linux/memory.js";
import { memoryCgroups } from "../linux/memory-cgroup.js";
import type { HugePageWish, MemoryWish } from "./wish.js";

/** Where memory comes from. */
export type Room =
  | { readonly kind: "host" }
  | { readonly kind: "cgroup"; readonly path: string }
  | { readonly kind: "hugepages"; readonly size: number; readonly node?: number | undefined }
  /** What a cgroup may have of huge pages of a size. */
  | { readonly kind: "hugepages"; readonly size: number; readonly path: string };

/** A room that has not got enough; in bytes, for huge pages in pages. */
export interface Lack {
  readonly room: Room;
  readonly wanted: number;
  /** What can be had now. */
  readonly available: number;
  /** What could ever be had: were nothing of it in use. */
  readonly total: number;
  /** Whether that is enough; if not, there is no sense in waiting. */
  readonly possible: boolean;
  /** The same for people, as "host memory: 64 GiB wanted, 51.2 GiB available". */
  readonly sentence: string;
}

function nameOf(room: Room): string {
  switch (room.kind) {
    case "host":
      return "host memory";
    case "cgroup":
      return `cgroup ${room.path}`;
    case "hugepages":
      if ("path" in room) return `cgroup ${room.path}, ${formatBytes(room.size)} huge pages`;
      return `${formatBytes(room.size)} huge pages${room.node === undefined ? "" : ` of node ${room.node}`}`;
  }
}

/** Nothing, or the one lack. */
function lackIn(room: Room, wanted: number, { available, total }: Pick<Lack, "available" | "total">): Lack[] {
  const format = room.kind === "hugepages" ? String : formatBytes;
  const possible = wanted <= total;
  const most = `${room.kind === "cgroup" || "path" in room ? "its limit is" : "there are only"} ${format(total)}`;
  const sentence = `${nameOf(room)}: ${format(wanted)} wanted, ${possible ? `${format(available)} available` : most}`;

  return wanted <= available ? [] : [{ room, wanted, available, total, possible, sentence }];
}

function memoryLacks(bytes: number, cgroup: string | undefined): Lack[] {
  const cgroups = memoryCgroups(cgroup);

  return [
    ...lackIn({ kind: "host" }, bytes, hostMemory()),
    ...cgroups.flatMap(({ path, limit, available }) =>
      lackIn({ kind: "cgroup", path }, bytes, { available, total: limit }),
    ),
  ];
}

function refuse(why: string, advice?: string): never {
  throw new AsyncTeardownError("ERR_USAGE", why, { advice });
}

function checkHugePages({ size, node }: HugePageWish): void {
  const [sizes, nodes] = [hugePageSizes(), numaNodes()];

  if (!sizes.includes(size))
    refuse(
      `this machine has no huge pages of ${formatBytes(size)}`,
      `it has ${sizes.map(formatBytes).join(", ") || "none at all"}`,
    );
  if (node !== undefined && !nodes.includes(node))
    refuse(`this machine has no huge pages on a NUMA node ${node}`, `it has nodes ${nodes.join(", ")}`);
}

/** Wishes for one pool add up, and wishes for several nodes are met by the machine's one pool as well. */
function hugePageLacksOf(size: number, wishes: readonly HugePageWish[]): Lack[] {
  const nodes = new Set(wishes.map(({ node }) => node));
  const pools = nodes.size > 1 ? nodes.add(undefined) : nodes;

  return [...pools].flatMap((pool) => {
    const counts = wishes.filter(({ node }) => pool === undefined || node === pool).map(({ count }) => count);
    const wanted = counts.reduce((sum, count) => sum + count, 0);
    return lackIn({ kind: "hugepages", size, node: pool }, wanted, hugePagePool(size, pool));
  });
}

/** What a cgroup may have counts whatever the node. */
function cgroupLacksOf(size: number, wishes: readonly HugePageWish[], cgroup: string | undefined): Lack[] {
  const wanted = wishes.reduce((sum, { count }) => sum + count, 0);

  return hugePageCgroups(cgroup, size).flatMap(({ path, limit, available }) =>
    lackIn({ kind: "hugepages", size, path }, wanted, { available, total: limit }),
  );
}

function hugePageLacks(wishes: readonly HugePageWish[], cgroup: string | undefined): Lack[] {
  const sizes = new Set(wishes.map(({ size }) => size));
  return [...sizes].flatMap((size) => {
    const ofSize = wishes.filter((wish) => wish.size === size);
    return [...hugePageLacksOf(size, ofSize), ...cgroupLacksOf(size, ofSize, cgroup)];
  });
}

const isCount = (number: number) => Number.isSafeInteger(number) && number > 0;

function check({ bytes, hugepages = [] }: MemoryWish): void {
  if (bytes === undefined && hugepages.length === 0)
    refuse("no memory is wanted", "say how many bytes, or which huge pages");
  if (bytes !== undefined && !(Number.isInteger(Number(bytes)) && bytes > 0))
    refuse("the bytes wanted are not a whole number above 0");
  if (!hugepages.every(({ count }) => isCount(count)))
    refuse("the huge pages wanted are not a whole number above 0");
  hugepages.forEach(checkHugePages);
}

/**
 * Looks for where memory is lacking now. None where all of it can be had: from the host without swapping,
 * within the limit of the cgroup and of each above it, and from the pools of huge pages.
 *
 * @throws AsyncTeardownError ERR_USAGE where there are no such huge pages; ERR_CGROUP, ERR_NO_PROC
 */
export function findLacks(wish: MemoryWish): Lack[] {
  const { bytes, hugepages = [], cgroup } = wish;

  check(wish);
  return [
    ...(bytes === undefined ? [] : memoryLacks(Number(bytes), cgroup)),
    ...hugePageLacks(hugepages, cgroup),
  ];
}
