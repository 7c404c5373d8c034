import { AsyncTeardownError } from "../errors.js";
import { formatSeconds } from "../format.js";

/** How long may be waited. */
export interface TimeLimit {
  readonly seconds: number;
  /** Aborted by then; undefined where there is no limit, as with timeout(1)'s 0. */
  readonly signal: AbortSignal | undefined;
}

/** The error that a wait ended with; ERR_TIMEOUT, which says how things stand, where the time was over. */
export function errorOrTimeout(error: unknown, { seconds, signal }: TimeLimit, standing: string): unknown {
  if (!signal?.aborted || error !== signal.reason) return error;
  return new AsyncTeardownError("ERR_TIMEOUT", `not after ${formatSeconds(seconds)}: ${standing}`);
}
