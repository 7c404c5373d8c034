import { AsyncTeardownError } from "../errors.js";
import { startHelper } from "../linux/native.js";
import { checkReleaseOptions, type ReleaseOptions, releaseNumbers } from "./release-options.js";

/**
 * Protects this Node.js process from now on: whenever and however it dies, whoever waits for it hears
 * so at once, and a helper gives its memory back afterwards. Takes well under a millisecond, once.
 * While a helper of this process lives, by an earlier call or because it was started protected, it does nothing.
 *
 * The protection ends with an exec (process.execve): the new program is not Node.js any more.
 *
 * @throws AsyncTeardownError ERR_HELPER when the kernel refuses (a limit on processes, a seccomp
 *   filter); ERR_USAGE for options that make no sense; ERR_PLATFORM, ERR_NOT_BUILT
 */
export function protectSelf(options: ReleaseOptions = {}): void {
  checkReleaseOptions(options);
  const failure = startHelper(releaseNumbers(options));

  if (failure) throw new AsyncTeardownError("ERR_HELPER", `this process cannot be protected: ${failure}`);
}
