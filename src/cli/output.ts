import { writeSync } from "node:fs";
import { AsyncTeardownError, errorCodes } from "../errors.js";

/** Written at once and directly: process.stderr would set O_NONBLOCK on a pipe that is the target's too. */
export function complain(sentence: string): void {
  try {
    writeSync(2, `async-teardown: ${sentence}\n`);
  } catch {
    // stderr is closed or full: the exit code says it still
  }
}

export function describe(error: AsyncTeardownError): string {
  return error.advice === undefined ? error.message : `${error.message}; ${error.advice}`;
}

/** Says what went wrong, in one line, and gives the exit code for it. */
export function reportFailure(error: unknown): number {
  if (!(error instanceof AsyncTeardownError)) {
    complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 125;
  }
  complain(describe(error));
  return errorCodes[error.code].exitCode;
}
