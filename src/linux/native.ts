import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { AsyncTeardownError } from "../errors.js";
import { type Bytes, toBuffer, toBytes } from "./bytes.js";
import type { ProcessDirectory } from "./procfs.js";

/** What native/addon/probe.c tries. */
export type SystemCall =
  | "pidfd_open"
  | "pidfd_send_signal"
  | "close_range"
  | "unshare"
  | "kcmp"
  | "seccomp"
  | "userfaultfd"
  | "/dev/userfaultfd"
  | "perf_event_open";

/** What native/addon/addon.c exports. */
interface Addon {
  protectSelf(workers: number, rate: number, priority: number): { step: string; errno: number } | null;
  hasFileCapabilities(path: Buffer): boolean;
  compareAddressSpaces(pid: number, other: number): number;
  signalProcess(directory: number, signal: number): number;
  startEnds(callback: (id: number) => void): number;
  addEnd(pid: number, id: number): number;
  removeEnd(pidfd: number): void;
  forbidCoreDumps(): number;
  probeSystemCalls(): Record<SystemCall, number>;
}

/** Node.js's names of the CPUs that are served, and the names of their folders in build/: uname(1)'s. */
const architectures: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * A file of the native part, for this CPU.
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT
 */
export function builtFile(name: string): string {
  const architecture = architectures[process.arch];
  const path = fileURLToPath(new URL(`../../build/${architecture}/${name}`, import.meta.url));

  if (process.platform !== "linux" || architecture === undefined)
    throw new AsyncTeardownError(
      "ERR_PLATFORM",
      `works on Linux on x86-64 and aarch64 only, and this is ${process.platform} on ${process.arch}`,
    );
  if (!existsSync(path))
    throw new AsyncTeardownError("ERR_NOT_BUILT", `its native part is not built: ${path} is missing`, {
      advice: "install the package anew; in a clone, run 'npm run build' with a C compiler at hand",
    });
  return path;
}

/** An error of the kernel, as a positive number; errno(3). */
export type Errno = number;

let loaded: Addon | undefined;

function addon(): Addon {
  loaded ??= createRequire(import.meta.url)(builtFile("addon.node")) as Addon;
  return loaded;
}

/** Starts a helper for this process; undefined when it is armed, else what could not be done. */
export function startHelper(release: {
  workers: number;
  rate: number;
  priority: number;
}): { step: string; errno: number } | undefined {
  return addon().protectSelf(release.workers, release.rate, release.priority) ?? undefined;
}

/** Whether executing this file would give capabilities; getxattr(2) of security.capability. */
export function hasFileCapabilities(path: Bytes): boolean {
  return addon().hasFileCapabilities(toBuffer(`${path}\0`));
}

/**
 * The library that protects a process from its start.
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT, ERR_INSTALL_PATH
 */
export function preloadLibrary(): Bytes {
  const path = builtFile("libasync-teardown.so");

  // The loader splits LD_PRELOAD at both, expands the last, and knows no way to quote them; ld.so(8).
  if (/[ :$]/.test(path))
    throw new AsyncTeardownError(
      "ERR_INSTALL_PATH",
      `is installed under a path that LD_PRELOAD cannot name: ${path}`,
      { advice: "install it where the path has no space, colon or dollar sign" },
    );
  return toBytes(path);
}

/** Whether two tasks have one address space, or an errno: EPERM, ESRCH, ENOSYS; kcmp(2). */
export function compareAddressSpaces(pid: number, other: number): boolean | Errno {
  const result = addon().compareAddressSpaces(pid, other);
  return result < 0 ? -result : result === 0;
}

/**
 * Ends a process by SIGKILL: the one whose /proc directory this is, and never another one with its number;
 * pidfd_send_signal(2). Returns 0 or an errno.
 */
export function killProcess({ descriptor }: ProcessDirectory): Errno {
  return addon().signalProcess(descriptor, constants.signals.SIGKILL);
}

/** Starts a thread that hears of the ends of processes. Returns 0 or an errno. */
export function startEnds(callback: (id: number) => void): Errno {
  return addon().startEnds(callback);
}

/** Has callback(id) called when the process ends. Returns a pidfd, for removeEnd, or a negative errno. */
export function addEnd(pid: number, id: number): number {
  return addon().addEnd(pid, id);
}

/** Ends that again, and closes the pidfd. */
export function removeEnd(pidfd: number): void {
  addon().removeEnd(pidfd);
}

/** Lets this process and its children leave no core. The limit that they have now, 0 or 1, or a negative errno. */
export function forbidCoreDumps(): number {
  return addon().forbidCoreDumps();
}

/** Tries the system calls that helper and holder make. Of each, 0 or an errno. */
export function probeSystemCalls(): Readonly<Record<SystemCall, number>> {
  return addon().probeSystemCalls();
}
