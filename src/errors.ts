import { architectureNames } from "./architectures.js";

/**
 * Every error that this package throws, by its code. Codes are stable: a program may branch on them.
 *
 * `exitCode` is what the command line tool ends with, as env(1) does: 125 for a refusal of its own, 126
 * for a command that cannot be executed, 127 for one that is not there. 1 is an answer: no.
 */
export const errorCodes = {
  ERR_PLATFORM: { exitCode: 125, meaning: `Not Linux, or neither ${architectureNames("nor")}` },
  ERR_NOT_BUILT: { exitCode: 125, meaning: "The native part of this package is missing" },
  ERR_INSTALL_PATH: { exitCode: 125, meaning: "Installed under a path that LD_PRELOAD cannot name" },
  ERR_NO_PROC: { exitCode: 125, meaning: "/proc is not mounted, or not readable" },
  ERR_USAGE: { exitCode: 125, meaning: "Called in a way that makes no sense" },
  ERR_OUTPUT: { exitCode: 125, meaning: "Standard output cannot be written" },
  ERR_NOT_FOUND: { exitCode: 127, meaning: "The command is not there" },
  ERR_NOT_EXECUTABLE: { exitCode: 126, meaning: "The command is there, but cannot be executed" },
  ERR_UNREADABLE: {
    exitCode: 125,
    meaning: "The file may be executed but not read, so nothing is known of it",
  },
  ERR_STATIC: { exitCode: 125, meaning: "Statically linked: no loader runs that could preload the helper" },
  ERR_SET_ID: {
    exitCode: 125,
    meaning: "Real and effective IDs will differ, as by set-user-ID: the loader ignores LD_PRELOAD",
  },
  ERR_FILE_CAPABILITIES: { exitCode: 125, meaning: "Has file capabilities: the loader ignores LD_PRELOAD" },
  ERR_ARCHITECTURE: {
    exitCode: 125,
    meaning: "Built for another architecture or word size than this package",
  },
  ERR_LIBRARY: { exitCode: 125, meaning: "The program could not load the library of this package" },
  ERR_INSTRUMENTED: { exitCode: 125, meaning: "Runs under valgrind, where no helper can start" },
  ERR_HELPER: { exitCode: 125, meaning: "The helper could not be started" },
  ERR_NO_PROCESS: { exitCode: 125, meaning: "There is no such process, or it ended meanwhile" },
  ERR_NOT_HOLDABLE: {
    exitCode: 125,
    meaning: "No holder can hold it: a kernel thread, or the init of the holder's own PID namespace",
  },
  ERR_PROTECTOR: { exitCode: 125, meaning: "Is a helper or a holder itself; its target is meant" },
  ERR_NOT_PERMITTED: { exitCode: 125, meaning: "The kernel does not permit it to this process" },
  ERR_ALREADY_PROTECTED: { exitCode: 0, meaning: "A helper or a holder protects it already, as was wanted" },
  ERR_NOT_ATTACHED: { exitCode: 125, meaning: "No holder holds it" },
  ERR_KERNEL: { exitCode: 125, meaning: "The kernel lacks something that a holder needs" },
  ERR_CGROUP: { exitCode: 125, meaning: "The cgroup asked for is not there, or cannot be entered" },
  ERR_HOLDER: { exitCode: 125, meaning: "The holder could not be started" },
  ERR_NO_SYSTEMD: { exitCode: 125, meaning: "No systemd runs here, or none for this user" },
  ERR_UNIT: { exitCode: 125, meaning: "There is no such service, or none that could be protected" },
  ERR_SYSTEMCTL: { exitCode: 125, meaning: "systemd refused something" },
  ERR_CHANGED: { exitCode: 125, meaning: "A file is not as this tool wrote it, and is left alone" },
  ERR_TIMEOUT: { exitCode: 124, meaning: "It took longer than was allowed" },
  ERR_NO_ROOM: {
    exitCode: 1,
    meaning: "So much memory cannot be had, and no teardown is under way that would give it back",
  },
  ERR_LIBVIRT: { exitCode: 125, meaning: "libvirt cannot be reached, or refuses" },
  ERR_DOMAIN: {
    exitCode: 125,
    meaning: "There is no such domain of libvirt, or it is none that can be changed so",
  },
  ERR_DOMAIN_XML: { exitCode: 125, meaning: "XML of libvirt cannot be read" },
  ERR_EMULATOR: { exitCode: 125, meaning: "A domain's QEMU cannot be asked what it can do, or cannot do it" },
  ERR_HOOK: { exitCode: 125, meaning: "libvirt's hook cannot be written or removed, or is somebody else's" },
} as const satisfies Record<string, { exitCode: number; meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** The one class of error of this package. */
export class AsyncTeardownError extends Error {
  override readonly name = "AsyncTeardownError";

  /** One of {@link errorCodes}; stable from version to version, unlike the message. */
  readonly code: ErrorCode;

  /** What to do about it, as a sentence; undefined where the message says it all. */
  readonly advice: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { advice?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.advice = options.advice;
  }
}

/** An error that a call of the system has ended with: a file that is not there, a limit on processes. */
export function isSystemError(error: unknown): error is Error & { readonly errno: number; code: string } {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === "number";
}
