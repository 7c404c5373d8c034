import { AsyncTeardownError } from "../errors.js";
import { formatBytes } from "../format.js";
import { hostMemory } from "../linux/host-memory.js";
import { hugePageCgroups } from "../linux/huge-page-cgroup.js";
import { hugePagePool, hugePageSizes, numaNodes } from "../linux/huge-pages.js";
import { memoryCgroups } from "../linux/memory-cgroup.js";
import type { HugePageRequest, MemoryRequest } from "./request.js";

/** Where memory comes from. */
export type MemoryPool =
  | { readonly kind: "host" }
  | { readonly kind: "cgroup"; readonly path: string }
  | { readonly kind: "hugePages"; readonly size: number; readonly node?: number | undefined }
  /** What a cgroup may have of huge pages of a size. */
  | { readonly kind: "hugePages"; readonly size: number; readonly path: string };

/** A pool that has not got enough; in bytes, for huge pages in pages. */
export interface Shortage {
  readonly pool: MemoryPool;
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

function nameOf(pool: MemoryPool): string {
  switch (pool.kind) {
    case "host":
      return "host memory";
    case "cgroup":
      return `cgroup ${pool.path}`;
    case "hugePages":
      if ("path" in pool) return `cgroup ${pool.path}, ${formatBytes(pool.size)} huge pages`;
      return `${formatBytes(pool.size)} huge pages${pool.node === undefined ? "" : ` of node ${pool.node}`}`;
  }
}

/** Nothing, or the one shortage. */
function shortageIn(
  pool: MemoryPool,
  wanted: number,
  { available, total }: Pick<Shortage, "available" | "total">,
): Shortage[] {
  const format = pool.kind === "hugePages" ? String : formatBytes;
  const possible = wanted <= total;
  const most = `${pool.kind === "cgroup" || "path" in pool ? "its limit is" : "there are only"} ${format(total)}`;
  const sentence = `${nameOf(pool)}: ${format(wanted)} wanted, ${possible ? `${format(available)} available` : most}`;

  return wanted <= available ? [] : [{ pool, wanted, available, total, possible, sentence }];
}

function memoryShortages(bytes: number, cgroup: string | undefined): Shortage[] {
  const cgroups = memoryCgroups(cgroup);

  return [
    ...shortageIn({ kind: "host" }, bytes, hostMemory()),
    ...cgroups.flatMap(({ path, limit, available }) =>
      shortageIn({ kind: "cgroup", path }, bytes, { available, total: limit }),
    ),
  ];
}

function refuseRequest(why: string, advice?: string): never {
  throw new AsyncTeardownError("ERR_USAGE", why, { advice });
}

function checkHugePageRequest({ size, node }: HugePageRequest): void {
  const [sizes, nodes] = [hugePageSizes(), numaNodes()];

  if (!sizes.includes(size))
    refuseRequest(
      `this machine has no huge pages of ${formatBytes(size)}`,
      `it has ${sizes.map(formatBytes).join(", ") || "none at all"}`,
    );
  if (node !== undefined && !nodes.includes(node))
    refuseRequest(
      `this machine has no huge pages on a NUMA node ${node}`,
      `it has nodes ${nodes.join(", ")}`,
    );
}

/** Requests for one pool add up, and requests for several nodes are met by the machine's one pool as well. */
function poolShortages(size: number, requests: readonly HugePageRequest[]): Shortage[] {
  const nodes = new Set(requests.map(({ node }) => node));
  const pools = nodes.size > 1 ? nodes.add(undefined) : nodes;

  return [...pools].flatMap((pool) => {
    const counts = requests
      .filter(({ node }) => pool === undefined || node === pool)
      .map(({ count }) => count);
    const wanted = counts.reduce((sum, count) => sum + count, 0);
    return shortageIn({ kind: "hugePages", size, node: pool }, wanted, hugePagePool(size, pool));
  });
}

/** What a cgroup may have counts whatever the node. */
function cgroupShortages(
  size: number,
  requests: readonly HugePageRequest[],
  cgroup: string | undefined,
): Shortage[] {
  const wanted = requests.reduce((sum, { count }) => sum + count, 0);

  return hugePageCgroups(cgroup, size).flatMap(({ path, limit, available }) =>
    shortageIn({ kind: "hugePages", size, path }, wanted, { available, total: limit }),
  );
}

function hugePageShortages(requests: readonly HugePageRequest[], cgroup: string | undefined): Shortage[] {
  const sizes = new Set(requests.map(({ size }) => size));
  return [...sizes].flatMap((size) => {
    const ofSize = requests.filter((request) => request.size === size);
    return [...poolShortages(size, ofSize), ...cgroupShortages(size, ofSize, cgroup)];
  });
}

const isCount = (number: number) => Number.isSafeInteger(number) && number > 0;

function checkRequest({ bytes, hugePages = [] }: MemoryRequest): void {
  if (bytes === undefined && hugePages.length === 0)
    refuseRequest("no memory is wanted", "say how many bytes, or which huge pages");
  if (bytes !== undefined && !(Number.isInteger(Number(bytes)) && bytes > 0))
    refuseRequest("the bytes wanted are not a whole number above 0");
  if (!hugePages.every(({ count }) => isCount(count)))
    refuseRequest("the huge pages wanted are not a whole number above 0");
  hugePages.forEach(checkHugePageRequest);
}

/**
 * Looks for where memory is lacking now. None where all of it can be had: from the host without swapping,
 * within the limit of the cgroup and of each above it, and from the pools of huge pages.
 *
 * @throws AsyncTeardownError ERR_USAGE where there are no such huge pages; ERR_CGROUP, ERR_NO_PROC
 */
export function findShortages(request: MemoryRequest): Shortage[] {
  const { bytes, hugePages = [], cgroup } = request;

  checkRequest(request);
  return [
    ...(bytes === undefined ? [] : memoryShortages(Number(bytes), cgroup)),
    ...hugePageShortages(hugePages, cgroup),
  ];
}
