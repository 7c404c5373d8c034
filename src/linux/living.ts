import { compareAddressSpaces, type Errno } from "./native.js";
import {
  closeProcess,
  isOver,
  openProcess,
  type ProcessDirectory,
  type Stat,
  statOf,
  statusField,
  threadsOf,
} from "./procfs.js";

/** A target as it is now; undefined where it is dead. */
export interface LivingTarget {
  readonly owner: string | undefined;
  readonly stat: Stat;
  /** Threads that may have the address space; the main one may have ended before the others. */
  readonly threads: readonly number[];
}

/** Opens a process for as long as it is looked at; undefined where there is none. */
export function look<T>(pid: number, at: (directory: ProcessDirectory) => T): T | undefined {
  const directory = openProcess(pid);

  if (!directory) return undefined;
  try {
    return at(directory);
  } finally {
    closeProcess(directory);
  }
}

export const ownerOf = (directory: ProcessDirectory) => statusField(directory, "Uid")?.split("\t")[0];

export function livingTarget(pid: number): LivingTarget | undefined {
  return look(pid, (directory) => {
    const stat = statOf(directory);

    if (!stat || isOver(stat) || (stat.isExiting && stat.threads <= 1)) return undefined;
    return {
      owner: ownerOf(directory),
      stat,
      threads: stat.isExiting ? threadsOf(directory).filter((thread) => thread !== pid) : [pid],
    };
  });
}

/** Whether a process has the address space of a living target, or an errno. */
export function sharesWith(pid: number, { threads }: LivingTarget): boolean | Errno {
  const answers = threads.map((thread) => compareAddressSpaces(pid, thread));
  return answers.find((answer) => answer === true) ?? answers[0] ?? false;
}
