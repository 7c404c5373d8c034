import { AsyncTeardownError } from "../../errors.js";

/** The part of a container's state that matters here; runtime.md of the OCI runtime specification. */
export interface ContainerState {
  readonly id: string;
  /** The container's init, as this PID namespace counts. */
  readonly pid: number;
  /** Where its config.json is; undefined where the runtime does not say. */
  readonly bundle: string | undefined;
}

const largestPid = 4_194_304; // PID_MAX_LIMIT; proc_sys_kernel(5)
const longestId = 1024;

function refuseState(why: string): never {
  throw new AsyncTeardownError("ERR_USAGE", `standard input has no state of a container: ${why}`, {
    advice: "an OCI runtime writes it there for a hook",
  });
}

/**
 * Reads what a runtime writes to a hook's standard input.
 * @throws AsyncTeardownError ERR_USAGE where it is nothing of the kind
 */
export function parseState(text: string): ContainerState {
  let state: unknown;

  try {
    state = JSON.parse(text);
  } catch {
    return refuseState("it is no JSON");
  }
  if (typeof state !== "object" || state === null) return refuseState("it is no object");
  const { id, pid, bundle } = state as Record<string, unknown>;

  if (typeof id !== "string" || id === "" || id.length > longestId) return refuseState("it has no ID");
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1 || pid > largestPid)
    return refuseState("it has no PID; the hook is for poststart or createRuntime");
  return { id, pid, bundle: typeof bundle === "string" && bundle.startsWith("/") ? bundle : undefined };
}

/** The memory limit in bytes from a bundle's config.json; undefined where there is none. */
export function parseMemoryLimit(text: string): number | undefined {
  try {
    const limit = JSON.parse(text)?.linux?.resources?.memory?.limit;
    return typeof limit === "number" && limit > 0 ? limit : undefined;
  } catch {
    return undefined;
  }
}
