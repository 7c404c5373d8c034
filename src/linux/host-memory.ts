import { existsSync, readFileSync } from "node:fs";
import { AsyncTeardownError } from "../errors.js";

/** The ordinary memory of the host, in bytes. */
export interface HostMemory {
  /** All that there is, without what is set aside as huge pages. */
  readonly total: number;
  /** What can be had without swapping, by the kernel's own estimate. */
  readonly available: number;
}

function bytesOfField(text: string, field: string): number | undefined {
  const [, kilobytes] = new RegExp(`^${field}: *(\\d+) kB$`, "m").exec(text) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Reads the text of /proc/meminfo; undefined where it is none. proc_meminfo(5). */
export function parseMeminfo(text: string): HostMemory | undefined {
  const [total, available] = [bytesOfField(text, "MemTotal"), bytesOfField(text, "MemAvailable")];

  if (total === undefined || available === undefined) return undefined;
  return { total: total - (bytesOfField(text, "Hugetlb") ?? 0), available };
}

/** @throws AsyncTeardownError ERR_NO_PROC */
export function hostMemory(): HostMemory {
  try {
    const memory = parseMeminfo(readFileSync("/proc/meminfo", "utf8"));
    if (memory) return memory;
    throw new Error("it has no MemAvailable");
  } catch (cause) {
    throw new AsyncTeardownError("ERR_NO_PROC", "/proc/meminfo cannot be read", {
      advice: existsSync("/proc/self/stat")
        ? "/proc shows processes only: mount it without subset=pid, in a unit of systemd without ProcSubset=pid"
        : "mount /proc: everything here depends on it",
      cause,
    });
  }
}
