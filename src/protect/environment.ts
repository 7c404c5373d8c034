import type { Bytes } from "../linux/bytes.js";
import { preloadLibrary } from "../linux/native.js";
import { ownPidNamespace } from "../linux/process.js";
import { checkReleaseOptions, type ReleaseOptions, releaseWords } from "./options.js";

/** The variables that make a program start protected. native/common/protection.h says what the second means. */
export interface ProtectingVariables {
  readonly LD_PRELOAD: Bytes;
  readonly ASYNC_TEARDOWN: Bytes;
}

/** As many digits as the largest 32-bit number has: the native part writes into them in place. */
function tenDigits(number: number): string {
  return String(number).padStart(10, "0");
}

/** The first process that sees it puts its own number there. */
const whoeverComesFirst = 0;

/**
 * Builds the variables for one process and what it execs, but none of its children.
 * @param inherited the LD_PRELOAD that is in force, kept behind ours
 * @param pid the process, in this process's PID namespace; without it the first that starts with them
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT, ERR_INSTALL_PATH, ERR_USAGE
 */
export function protectingVariables(
  inherited: Bytes | undefined,
  options: { pid?: number; bestEffort?: boolean } & ReleaseOptions,
): ProtectingVariables {
  checkReleaseOptions(options);
  const library = preloadLibrary();
  const others = (inherited ?? "").split(/[ :]+/).filter((entry) => entry !== "" && entry !== library);
  const pid = options.pid ?? whoeverComesFirst;
  const namespace = pid === whoeverComesFirst ? 0 : ownPidNamespace();

  return {
    LD_PRELOAD: [library, ...others].join(":"),
    ASYNC_TEARDOWN: `pid:${tenDigits(pid)}/ns:${tenDigits(namespace)}/strict:${options.bestEffort ? 0 : 1}${releaseWords(options)}`,
  };
}
