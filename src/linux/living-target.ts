import { askInTime } from "./ask-in-time.js";
import { compareAddressSpaces, type Errno } from "./native.js";
import {
  closeProcess,
  isOver,
  livingThreadsOf,
  openProcess,
  type ProcessDirectory,
  type Stat,
  statOf,
  userOf,
} from "./procfs.js";

/** A target as it is now; undefined where it is dead. */
export interface LivingTarget {
  readonly user: string | undefined;
  readonly stat: Stat;
  /** Threads that may have the address space; the main one may have ended before the others. */
  readonly threads: readonly number[];
}

/** Opens a process for as long as it is looked at; undefined where there is none. */
export function withProcess<T>(pid: number, at: (directory: ProcessDirectory) => T): T | undefined {
  const directory = openProcess(pid);

  if (!directory) return undefined;
  try {
    return at(directory);
  } finally {
    closeProcess(directory);
  }
}

/** Whether a process is on its way out altogether: its main thread may have ended while others go on. */
export function isWhollyExiting(directory: ProcessDirectory, stat: Stat): boolean {
  return stat.isExiting && (stat.threads <= 1 || livingThreadsOf(directory).length === 0);
}

export function livingTarget(pid: number): LivingTarget | undefined {
  return withProcess(pid, (directory) => {
    const stat = statOf(directory);

    if (!stat || isOver(stat) || isWhollyExiting(directory, stat)) return undefined;
    return {
      user: userOf(directory),
      stat,
      threads: stat.isExiting ? livingThreadsOf(directory).map(Number) : [pid],
    };
  });
}

/** Whether a process of this user has the address space of a living target, or an errno; undefined: unknown. */
export function sharesWith(
  pid: number,
  user: string | undefined,
  { threads }: LivingTarget,
): boolean | Errno | undefined {
  const thread = threads[0];

  if (thread === undefined) return false;
  return askInTime(user, (milliseconds) => compareAddressSpaces(pid, thread, milliseconds));
}
