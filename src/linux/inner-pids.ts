import { readlinkSync } from "node:fs";
import { withProcess } from "./living-target.js";
import { allPids } from "./pids.js";
import { type ProcessDirectory, statusField } from "./procfs.js";

/**
 * The PIDs of a process: as /proc shows it, and as it counts in each PID namespace below, up to its own. Just
 * one where it is in the namespace that /proc is of; proc_pid_status(5), NSpid.
 */
export function parsePids(nsPid: string | undefined): number[] {
  return (nsPid ?? "")
    .split(/\s+/)
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
}

const pidsOf = (directory: ProcessDirectory) => parsePids(statusField(directory, "NSpid"));

/** Whether what a process calls a PID is that of another namespace, as in a container. */
export function countsElsewhere(directory: ProcessDirectory): boolean {
  return pidsOf(directory).length > 1;
}

function namespaceOf({ descriptor }: ProcessDirectory): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}/ns/pid`);
  } catch {
    return undefined; // another user's
  }
}

/** The PIDs in /proc of processes in namespaces below, by their namespace and the PID that they have there. */
export type InnerPids = ReadonlyMap<string, number>;

const keyOf = (namespace: string | undefined, pid: number | undefined) => `${namespace} ${pid}`;

export function findInnerPids(): InnerPids {
  const found = new Map<string, number>();

  for (const pid of allPids())
    withProcess(pid, (directory) => {
      const pids = pidsOf(directory);
      if (pids.length > 1) found.set(keyOf(namespaceOf(directory), pids.at(-1)), pid);
    });
  return found;
}

/** What in /proc is the process that another one, in a namespace below, calls by this PID; undefined where none is. */
export function outerPid(directory: ProcessDirectory, pid: number, inner: InnerPids): number | undefined {
  const namespace = namespaceOf(directory);
  return namespace === undefined ? undefined : inner.get(keyOf(namespace, pid));
}
