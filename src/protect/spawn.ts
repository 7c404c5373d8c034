import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  spawn as nodeSpawn,
  type SpawnOptions,
  type SpawnOptionsWithoutStdio,
} from "node:child_process";
import { fileURLToPath } from "node:url";
import { AsyncTeardownError } from "../errors.js";
import { type Bytes, toBytes, toText } from "../linux/bytes.js";
import { asanOptions, examineCommand } from "../linux/native.js";
import { protectingVariables } from "./preload-variables.js";
import { checkReleaseOptions, type ReleaseOptions } from "./release-options.js";

export interface ProtectOptions extends ReleaseOptions {
  /**
   * Run the program unprotected where it cannot be protected, with a process warning that says why,
   * rather than throw.
   * @default false
   */
  bestEffort?: boolean | undefined;
}

/** The environment as node:child_process hands it on: what is inherited by prototype as well. */
function environmentOf({ env }: SpawnOptions): Record<string, string> {
  const given = env || process.env;
  const environment: Record<string, string> = {};

  for (const name in given) if (given[name] !== undefined) environment[name] = `${given[name]}`;
  return environment;
}

function directoryOf({ cwd }: SpawnOptions): Bytes | undefined {
  if (cwd === undefined || cwd === null) return undefined;
  return toBytes(cwd instanceof URL ? fileURLToPath(cwd) : cwd);
}

const bytesOf = (text: string | undefined) => (text === undefined ? undefined : toBytes(text));

function fileOf(command: string, { shell }: SpawnOptions): string {
  return typeof shell === "string" && shell !== "" ? shell : shell ? "/bin/sh" : command;
}

/** Sets what protects the child, if a helper can. Throws what is to be said of it otherwise. */
function protectedEnvironment(
  command: string,
  { bestEffort, ...release }: ProtectOptions,
  options: SpawnOptions,
): Record<string, string> {
  const environment = environmentOf(options);
  const identity = { user: options.uid ?? undefined, group: options.gid ?? undefined };
  const { isAsan } = examineCommand({
    command: toBytes(fileOf(command, options)),
    path: bytesOf(environment.PATH),
    directory: directoryOf(options),
    ...identity,
  });
  const variables = protectingVariables(bytesOf(environment.LD_PRELOAD), {
    bestEffort: bestEffort === true,
    ...release,
    ...identity,
  });

  environment.LD_PRELOAD = toText(variables.LD_PRELOAD);
  environment.ASYNC_TEARDOWN = variables.ASYNC_TEARDOWN;
  if (isAsan) environment.ASAN_OPTIONS = toText(asanOptions(bytesOf(environment.ASAN_OPTIONS)));
  return environment;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What node:child_process refuses, it refuses itself: it is to say so in its own words. */
function makesSense(command: unknown, { cwd, uid, gid, shell }: SpawnOptions): boolean {
  const isId = (id: unknown) => id === undefined || id === null || Number.isInteger(id);

  return (
    typeof command === "string" &&
    !`${command}${cwd ?? ""}${shell ?? ""}`.includes("\0") &&
    (cwd === undefined || cwd === null || typeof cwd === "string" || cwd instanceof URL) &&
    isId(uid) &&
    isId(gid)
  );
}

function isForSpawnToReport(error: unknown): boolean {
  return error instanceof AsyncTeardownError && ["ERR_NOT_FOUND", "ERR_NOT_EXECUTABLE"].includes(error.code);
}

/**
 * spawn of node:child_process, protected: when the child dies, "exit" comes at once, and a helper gives
 * its memory back afterwards. The rest is as with spawn; a command that is not there or not executable
 * is reported by the "error" event, as ever. The child's own children are not protected; what it execs
 * is. With `shell`, what is protected is the shell.
 *
 * Where the child cannot be protected once it is started (a limit on processes, a seccomp filter), it
 * ends with exit code 125 and a line on its stderr, unless bestEffort.
 *
 * @throws AsyncTeardownError ERR_STATIC, ERR_SET_ID, ERR_FILE_CAPABILITIES, ERR_ARCHITECTURE,
 *   ERR_UNREADABLE or ERR_INSTRUMENTED for a program that a helper cannot protect; ERR_PLATFORM, ERR_NOT_BUILT,
 *   ERR_INSTALL_PATH, ERR_LIBRARY; ERR_USAGE for release options that make no sense
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
  argsOrOptions?: readonly string[] | (SpawnOptions & ProtectOptions) | null,
  optionsBehindArgs?: SpawnOptions & ProtectOptions,
): ChildProcess {
  const hasArgs = !isObject(argsOrOptions);
  const given: unknown = hasArgs ? optionsBehindArgs : argsOrOptions;
  const asNode = (options: unknown) =>
    hasArgs
      ? nodeSpawn(command, argsOrOptions as unknown as readonly string[], options as SpawnOptions)
      : nodeSpawn(command, options as SpawnOptions);

  if (given !== undefined && !isObject(given)) return asNode(given);
  const { bestEffort, workers, rate, priority, ...options } = (given ?? {}) as SpawnOptions & ProtectOptions;

  checkReleaseOptions({ workers, rate, priority });
  if (!makesSense(command, options)) return asNode(options);
  try {
    const env = protectedEnvironment(command, { bestEffort, workers, rate, priority }, options);
    return asNode({ ...options, env });
  } catch (error) {
    if (isForSpawnToReport(error)) return asNode(options);
    if (!bestEffort || !(error instanceof AsyncTeardownError)) throw error;
    process.emitWarning(error.message, { type: "AsyncTeardownWarning", code: error.code });
    return asNode(options);
  }
}
