import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { architectureNames, buildFolder } from "../architectures.js";
import { AsyncTeardownError, type ErrorCode } from "../errors.js";
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

/** What native/command/ says of a command. */
interface Verdict {
  /** Why it is refused, or "" where it is not. */
  readonly code: ErrorCode | "";
  readonly message: string;
  readonly advice: string | undefined;
  readonly isAsan: boolean;
}

/** What native/addon/addon.c exports. */
interface Addon {
  protectSelf(workers: number, rate: number, priority: number): string | null;
  examineCommand(
    command: Buffer,
    path: Buffer | null,
    directory: Buffer | null,
    user: number,
    group: number,
  ): Verdict;
  checkLibrary(library: Buffer, user: number, group: number): Verdict;
  preloadList(inherited: Buffer | null, library: Buffer): Buffer;
  asanOptions(inherited: Buffer | null): Buffer;
  compareAddressSpaces(pid: number, other: number, milliseconds: number): number;
  readWithin(descriptor: number, buffer: Buffer, milliseconds: number): number;
  openPathWithin(directory: number, path: Buffer, milliseconds: number): number;
  createMemoryFile(): number;
  millisecondsSinceBoot(): number;
  lockFile(descriptor: number): boolean;
  signalProcess(directory: number, signal: number): number;
  startExitWatcher(callback: (id: number) => void): number;
  watchExit(pid: number, id: number): number;
  unwatchExit(pidfd: number): void;
  forbidCoreDumps(): number;
  probeSystemCalls(): Record<SystemCall, number>;
}

/**
 * A file of the native part, for this CPU.
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT
 */
export function builtFile(name: string): string {
  const path = fileURLToPath(new URL(`../../build/${buildFolder}/${name}`, import.meta.url));

  if (process.platform !== "linux" || buildFolder === undefined)
    throw new AsyncTeardownError(
      "ERR_PLATFORM",
      `works on Linux on ${architectureNames("and")} only, and this is ${process.platform} on ${process.arch}`,
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

/**
 * Loads what native/addon/addon.c exports.
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT, ERR_LIBRARY
 */
function load(): Addon {
  const file = builtFile("addon.node");

  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n");
    throw new AsyncTeardownError("ERR_LIBRARY", `its native part cannot be loaded: ${reason}`, {
      advice: "install the package anew, where programs may run: not on a mount with noexec",
      cause,
    });
  }
}

function addon(): Addon {
  loaded ??= load();
  return loaded;
}

/** Starts a helper for this process; undefined when it is armed, otherwise why not: "could not …". */
export function startHelper(release: {
  workers: number;
  rate: number;
  priority: number;
}): string | undefined {
  return addon().protectSelf(release.workers, release.rate, release.priority) ?? undefined;
}

/** A string as C has it. */
function withNul(bytes: Bytes | undefined): Buffer | null {
  return bytes === undefined ? null : toBuffer(`${bytes}\0`);
}

const withoutNul = (buffer: Buffer): Bytes => buffer.toString("latin1", 0, buffer.length - 1);

function throwIfRefused({ code, message, advice }: Verdict): void {
  if (code !== "") throw new AsyncTeardownError(code, message, { advice });
}

/** Who executes a command. Absent where it is this process's own user and group. */
export interface Identity {
  readonly user?: number | undefined;
  readonly group?: number | undefined;
}

/** A command, and what the process is like that will execute it. */
export interface Command extends Identity {
  readonly command: Bytes;
  /** The value of PATH; undefined where it is not set. */
  readonly path: Bytes | undefined;
  /** The directory that relative names start from; undefined where it is this process's own. */
  readonly directory?: Bytes | undefined;
}

/**
 * Finds a command as a shell does, and makes sure that a helper can protect what it starts; follows scripts to
 * their interpreter. Tells whether it is a program linked with AddressSanitizer.
 * @throws AsyncTeardownError ERR_NOT_FOUND, ERR_NOT_EXECUTABLE; ERR_STATIC, ERR_SET_ID, ERR_FILE_CAPABILITIES,
 *   ERR_ARCHITECTURE, ERR_UNREADABLE, ERR_INSTRUMENTED; ERR_PLATFORM, ERR_NOT_BUILT, ERR_LIBRARY
 */
export function examineCommand({ command, path, directory, user = -1, group = -1 }: Command): {
  isAsan: boolean;
} {
  const verdict = addon().examineCommand(
    withNul(command) as Buffer,
    withNul(path),
    withNul(directory),
    user,
    group,
  );

  throwIfRefused(verdict);
  return verdict;
}

/**
 * The library that protects a process from its start.
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT, ERR_INSTALL_PATH, ERR_LIBRARY
 */
export function preloadLibrary({ user = -1, group = -1 }: Identity = {}): Bytes {
  const path = toBytes(builtFile("libasync-teardown.so"));

  throwIfRefused(addon().checkLibrary(withNul(path) as Buffer, user, group));
  return path;
}

/** The value of LD_PRELOAD: what is inherited, and a library behind it, once. */
export function preloadList(inherited: Bytes | undefined, library: Bytes): Bytes {
  return withoutNul(addon().preloadList(withNul(inherited), withNul(library) as Buffer));
}

/** The value of ASAN_OPTIONS for a program that is linked with AddressSanitizer. */
export function asanOptions(inherited: Bytes | undefined): Bytes {
  return withoutNul(addon().asanOptions(withNul(inherited)));
}

const { ETIMEDOUT } = constants.errno;

/**
 * Whether two tasks have one address space, or an errno: EPERM, ESRCH, ENOSYS; kcmp(2). Undefined where the kernel
 * has not answered in that time.
 */
export function compareAddressSpaces(
  pid: number,
  other: number,
  milliseconds = 10_000,
): boolean | Errno | undefined {
  const result = addon().compareAddressSpaces(pid, other, milliseconds);

  if (result === -ETIMEDOUT) return undefined;
  return result < 0 ? -result : result === 0;
}

/** Reads from a descriptor. Returns how many bytes, or a negative errno; undefined where none came in that time. */
export function readWithin(descriptor: number, buffer: Buffer, milliseconds: number): number | undefined {
  const result = addon().readWithin(descriptor, buffer, milliseconds);
  return result === -ETIMEDOUT ? undefined : result;
}

/**
 * Looks up a path below an open directory, and opens nothing (O_PATH). Returns a descriptor, or a negative errno;
 * undefined where it was not found in that time.
 */
export function openPathWithin(directory: number, path: string, milliseconds: number): number | undefined {
  const result = addon().openPathWithin(directory, Buffer.from(`${path}\0`, "latin1"), milliseconds);
  return result === -ETIMEDOUT ? undefined : result;
}

/** Opens an empty memory file; memfd_create(2). Returns a descriptor or a negative errno. */
export function createMemoryFile(): number {
  return addon().createMemoryFile();
}

/** By the clock that the start times of processes are of; CLOCK_BOOTTIME. */
export function millisecondsSinceBoot(): number {
  return addon().millisecondsSinceBoot();
}

/** Locks an open file until it is closed; flock(2). False where somebody else has it locked. */
export function lockFile(descriptor: number): boolean {
  return addon().lockFile(descriptor);
}

/**
 * Ends a process by SIGKILL: the one whose /proc directory this is, and never another one with its number;
 * pidfd_send_signal(2). Returns 0 or an errno.
 */
export function killProcess({ descriptor }: ProcessDirectory): Errno {
  return addon().signalProcess(descriptor, constants.signals.SIGKILL);
}

/** Starts a thread that hears of the ends of processes. Returns 0 or an errno. */
export function startExitWatcher(callback: (id: number) => void): Errno {
  return addon().startExitWatcher(callback);
}

/** Has callback(id) called when the process ends. Returns a pidfd, for unwatchExit, or a negative errno. */
export function watchExit(pid: number, id: number): number {
  return addon().watchExit(pid, id);
}

/** Ends that again, and closes the pidfd. */
export function unwatchExit(pidfd: number): void {
  addon().unwatchExit(pidfd);
}

/** Lets this process and its children leave no core. The limit that they have now, 0 or 1, or a negative errno. */
export function forbidCoreDumps(): number {
  return addon().forbidCoreDumps();
}

/** Tries the system calls that helper and holder make. Of each, 0 or an errno. */
export function probeSystemCalls(): Readonly<Record<SystemCall, number>> {
  return addon().probeSystemCalls();
}
