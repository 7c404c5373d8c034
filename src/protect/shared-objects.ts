import { withProcess } from "../linux/living-target.js";
import { statOf } from "../linux/procfs.js";
import { type SharedObject, sharedObjectsOf } from "../linux/shared-memory.js";

/** Below that an exit does not last long enough to be worth keeping anything. */
const leastBytes = 64 * 2 ** 20;

/** So many a holder keeps; native/holder/shared.h. */
const mostObjects = 8;

/** What one process maps. */
interface Mapped {
  readonly pid: number;
  readonly objects: readonly SharedObject[];
}

/**
 * Which of the shared memory is kept, by whose holder. Kept is what is large, and what several of these processes map:
 * it serves all of them, and is gone with them. What one alone maps may be short-lived, and is left to it. Each object
 * is kept by the holder of the first process that maps it.
 */
export function shareOut(processes: readonly Mapped[]): Map<number, SharedObject[]> {
  const users = new Map<string, number[]>();

  for (const { pid, objects } of processes)
    for (const { key } of objects) users.set(key, [...(users.get(key) ?? []), pid]);
  const isKeptBy = (pid: number, { key, bytes }: SharedObject) => {
    const [keeper, ...others] = users.get(key) ?? [];
    return keeper === pid && others.length > 0 && bytes >= leastBytes;
  };
  return new Map(
    processes.map(({ pid, objects }) => [
      pid,
      objects
        .filter((object) => isKeptBy(pid, object))
        .sort((a, b) => b.bytes - a.bytes)
        .slice(0, mostObjects),
    ]),
  );
}

/** What of the shared memory of these processes, the one that ends last first, the holder of each is to keep. */
export function sharedByTarget(pids: readonly number[]): Map<number, SharedObject[]> {
  if (pids.length < 2) return new Map();
  return shareOut(pids.map((pid) => ({ pid, objects: withProcess(pid, sharedObjectsOf) ?? [] })));
}

/** By their starts: whoever made the others, and waits for them at its end, is the first. */
export function oldestFirst(pids: readonly number[]): number[] {
  const start = (pid: number) => withProcess(pid, statOf)?.startTime ?? Number.POSITIVE_INFINITY;
  return pids
    .map((pid) => ({ pid, started: start(pid) }))
    .sort((a, b) => a.started - b.started || a.pid - b.pid)
    .map(({ pid }) => pid);
}
