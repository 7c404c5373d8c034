import { closeSync, constants, openSync } from "node:fs";
import { lockFile } from "./native.js";
import type { ProcessDirectory } from "./procfs.js";

/**
 * Locks a process against others that attach it at the same time. The lock is on its /proc/<pid>/environ, which only
 * those can open who may look into it: its owner and root. So nobody else can keep it locked, and it ends with whoever
 * has it. (Another mount of /proc may be another file.)
 * @returns a descriptor to be closed; undefined where somebody else has the lock, or -1 where it may not be opened, by
 *   somebody who may not attach it either
 */
export function lockForAttach({ descriptor }: ProcessDirectory): number | undefined {
  let environ: number;

  try {
    environ = openSync(`/proc/self/fd/${descriptor}/environ`, constants.O_RDONLY);
  } catch {
    return -1;
  }
  if (lockFile(environ)) return environ;
  closeSync(environ);
  return undefined;
}

export function unlock(lock: number): void {
  if (lock >= 0) closeSync(lock);
}
