import { AsyncTeardownError, isSystemError } from "../errors.js";

/**
 * "ok": it is there. "limited": it is not as it should be, and something works less well. "missing": it is
 * not there, and something does not work. "info": neither good nor bad.
 */
export type Status = "ok" | "limited" | "missing" | "info";

/** What was found out about one thing. */
export interface Check {
  /** Stable from version to version, unlike the texts. */
  readonly name: string;
  readonly status: Status;
  readonly found: string;
  /** What that costs, and what would change it. */
  readonly advice?: string | undefined;
}

/**
 * What an error says of a thing that was tried: that it does not work, and what would change that.
 * @throws the error, where it is neither a refusal nor the system's: then nothing is known of the thing
 */
export function missing(name: string, error: unknown): Check {
  if (error instanceof AsyncTeardownError)
    return { name, status: "missing", found: error.message, advice: error.advice };
  if (isSystemError(error)) return { name, status: "missing", found: error.message };
  throw error;
}
