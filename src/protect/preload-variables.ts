import type { Bytes } from "../linux/bytes.js";
import { type Identity, preloadLibrary, preloadList } from "../linux/native.js";
import { checkReleaseOptions, type ReleaseOptions, releaseWords } from "./release-options.js";

/** The variables that make a program start protected. native/common/protection.h says what the second means. */
export interface ProtectingVariables {
  readonly LD_PRELOAD: Bytes;
  readonly ASYNC_TEARDOWN: Bytes;
}

/** The first process that sees these digits puts its own numbers there. */
const whoeverComesFirst = "pid:0000000000/ns:0000000000";

/**
 * Builds the variables for the first process that starts with them, and what it execs, but none of its children.
 * @param inherited the LD_PRELOAD that is in force, kept in front of ours
 * @param options whose process it will be, where that is not this process's user, and how it is protected
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT, ERR_INSTALL_PATH, ERR_LIBRARY, ERR_USAGE
 */
export function protectingVariables(
  inherited: Bytes | undefined,
  options: { bestEffort?: boolean } & ReleaseOptions & Identity,
): ProtectingVariables {
  checkReleaseOptions(options);
  const strict = options.bestEffort ? 0 : 1;

  return {
    LD_PRELOAD: preloadList(inherited, preloadLibrary(options)),
    ASYNC_TEARDOWN: `${whoeverComesFirst}/strict:${strict}${releaseWords(options)}`,
  };
}
