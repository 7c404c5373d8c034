import { readFileSync, readlinkSync } from "node:fs";
import { AsyncTeardownError } from "../errors.js";
import { type Bytes, splitAtNul } from "./bytes.js";

function readOwn(file: "cmdline" | "environ"): Bytes[] {
  try {
    return splitAtNul(readFileSync(`/proc/self/${file}`));
  } catch (cause) {
    throw new AsyncTeardownError("ERR_NO_PROC", `/proc/self/${file} cannot be read`, {
      advice: "mount /proc: everything here depends on it",
      cause,
    });
  }
}

/** The arguments of this process as it was started, byte for byte (process.argv is text). */
export function ownArguments(): Bytes[] {
  return readOwn("cmdline");
}

/** The environment of this process as it was started, byte for byte. */
export function ownEnvironment(): Bytes[] {
  return readOwn("environ");
}

/** The number of this process's PID namespace, or 0 where /proc does not tell. proc_pid_ns(5). */
export function ownPidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
