import { readlinkSync } from "node:fs";

/** The number of this process's PID namespace, or 0 where /proc does not tell. proc_pid_ns(5). */
export function ownPidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
