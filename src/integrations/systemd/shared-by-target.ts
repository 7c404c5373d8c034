import { withProcess } from "../../linux/living-target.js";
import { type SharedObject, sharedObjectsOf } from "../../linux/shared-memory.js";

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
 * it serves the whole service, and is gone with it. What one alone maps may be short-lived, and is left to it. Each
 * object is kept by the holder of the first process that maps it; that of the main process as a rule, which ends last.
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

/** What of the shared memory of these processes, the main one first, the holder of each is to keep. */
export function sharedByTarget(pids: readonly number[]): Map<number, SharedObject[]> {
  return shareOut(pids.map((pid) => ({ pid, objects: withProcess(pid, sharedObjectsOf) ?? [] })));
}
