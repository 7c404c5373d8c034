import { AsyncTeardownError } from "../errors.js";

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
  /** What it costs that it is so, and what it would take to change it. */
  readonly advice?: string | undefined;
}

/** What an error says of a thing that was tried: that it does not work, and what it would take. */
export function missing(name: string, error: unknown): Check {
  const [found = ""] = (error as Error).message.replace(/^process \d+ /, "").split("\n");
  const advice = error instanceof AsyncTeardownError ? error.advice : undefined;

  return { name, status: "missing", found, advice };
}
