import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  spawn as nodeSpawn,
  type SpawnOptions,
  type SpawnOptionsWithoutStdio,
} from "node:child_process";
import { fileURLToPath } from "node:url";
import { AsyncTeardownError } from "../errors.js";
import { toBytes } from "../linux/bytes.js";
import { protectingVariables } from "./environment.js";
import { checkProtectable } from "./executable.js";
import { checkReleaseOptions, type ReleaseOptions } from "./options.js";
import { resolveCommand, type Surroundings } from "./resolve.js";

export interface ProtectOptions extends ReleaseOptions {
  /**
   * Run the program unprotected where it cannot be protected, with a process warning that says why,
   * rather than throw.
   * @default false
   */
  bestEffort?: boolean | undefined;
}

function environmentOf(options: SpawnOptions): NodeJS.ProcessEnv {
  return options.env ?? process.env;
}

function surroundingsOf(options: SpawnOptions): Surroundings {
  const { PATH } = environmentOf(options);
  const { cwd } = options;

  return {
    path: PATH === undefined ? undefined : toBytes(PATH),
    ...(cwd !== undefined && { directory: toBytes(cwd instanceof URL ? fileURLToPath(cwd) : cwd) }),
  };
}

function fileOf(command: string, { shell }: SpawnOptions): string {
  return shell === true ? "/bin/sh" : shell || command;
}

function isForSpawnToReport(error: unknown): boolean {
  return error instanceof AsyncTeardownError && ["ERR_NOT_FOUND", "ERR_NOT_EXECUTABLE"].includes(error.code);
}

function check(command: string, options: SpawnOptions): void {
  const surroundings = surroundingsOf(options);
  checkProtectable(resolveCommand(toBytes(fileOf(command, options)), surroundings), surroundings);
}

/**
 * spawn of node:child_process, protected: when the child dies, "exit" comes at once, and a helper gives
 * its memory back afterwards. All else is as with spawn; a command that is not there or not executable
 * is reported by the "error" event, as ever. The child's own children are not protected; what it execs
 * is. With `shell`, what is protected is the shell.
 *
 * Where the child cannot be protected once it is started (a limit on processes, a seccomp filter), it
 * ends with exit code 125 and a line on its stderr, unless bestEffort.
 *
 * @throws AsyncTeardownError ERR_STATIC, ERR_SET_ID, ERR_FILE_CAPABILITIES, ERR_ARCHITECTURE or
 *   ERR_UNREADABLE for a program that a helper cannot protect; ERR_PLATFORM, ERR_NOT_BUILT,
 *   ERR_INSTALL_PATH; ERR_USAGE for release options that make no sense
 */
export function spawn(
  command: string,
  options?: SpawnOptionsWithoutStdio & ProtectOptions,
): ChildProcessWithoutNullStreams;
export function spawn(
  command: string,
  args: readonly string[],
  options?: SpawnOptionsWithoutStdio & ProtectOptions,
): ChildProcessWithoutNullStreams;
export function spawn(command: string, options: SpawnOptions & ProtectOptions): ChildProcess;
export function spawn(
  command: string,
  args: readonly string[],
  options: SpawnOptions & ProtectOptions,
): ChildProcess;
export function spawn(
  command: string,
  argsOrOptions: readonly string[] | (SpawnOptions & ProtectOptions) = [],
  optionsBehindArgs: SpawnOptions & ProtectOptions = {},
): ChildProcess {
  const [args, { bestEffort = false, workers, rate, priority, ...options }] = Array.isArray(argsOrOptions)
    ? [argsOrOptions as readonly string[], optionsBehindArgs]
    : [[], argsOrOptions as SpawnOptions & ProtectOptions];

  const release = { workers, rate, priority };

  checkReleaseOptions(release);
  try {
    check(command, options);
  } catch (error) {
    if (isForSpawnToReport(error)) return nodeSpawn(command, args, options);
    if (!bestEffort || !(error instanceof AsyncTeardownError)) throw error;
    process.emitWarning(error.message, { type: "AsyncTeardownWarning", code: error.code });
    return nodeSpawn(command, args, options);
  }
  const environment = environmentOf(options);
  const variables = protectingVariables(environment.LD_PRELOAD, { bestEffort, ...release });

  return nodeSpawn(command, args, { ...options, env: { ...environment, ...variables } });
}
