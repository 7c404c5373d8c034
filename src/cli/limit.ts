import { AsyncTeardownError } from "../errors.js";
import { formatSeconds } from "../format.js";

/** How long may be waited. */
export interface Limit {
  readonly seconds: number;
  /** Aborted by then; undefined where there is no limit, as with timeout(1)'s 0. */
  readonly signal: AbortSignal | undefined;
}

/** The error that a wait ended with; ERR_TIMEOUT, which says how things stand, where the time was over. */
export function reasonOf(error: unknown, { seconds, signal }: Limit, standing: string): unknown {
  if (!signal?.aborted || error !== signal.reason) return error;
  return new AsyncTeardownError("ERR_TIMEOUT", `not after ${formatSeconds(seconds)}: ${standing}`);
}
