import { writeSync } from "node:fs";
import { AsyncTeardownError, errorCodes } from "../errors.js";

/*
 * All is written at once and directly: process.stdout and process.stderr would set O_NONBLOCK on a pipe
 * that is the target's, too.
 */

/**
 * Writes to standard output. False where the reader has gone, as under `| head`.
 * @throws AsyncTeardownError ERR_OUTPUT
 */
export function print(text: string): boolean {
  try {
    writeSync(1, text);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EPIPE")
      throw new AsyncTeardownError("ERR_OUTPUT", `standard output cannot be written (${code})`, { cause });
    return false;
  }
}

/** Writes to standard error. Where that is closed or full, the exit code says it still. */
export function printError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // see above
  }
}

export function complain(sentence: string): void {
  printError(`async-teardown: ${sentence}\n`);
}

function describe(error: AsyncTeardownError): string {
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

/** What went wrong, for machines. */
export type FailureFields = Pick<AsyncTeardownError, "code" | "message" | "advice">;

/**
 * Tells what went wrong with one of several things: a line on standard error, unless machines are told, and
 * the exit code; the largest counts. What is not ours is thrown on.
 */
export function noteFailure(error: unknown, isJson: boolean): FailureFields {
  if (!(error instanceof AsyncTeardownError) || error.code === "ERR_OUTPUT") throw error;
  const { code, message, advice } = error;
  const exitCode = isJson ? errorCodes[code].exitCode : reportFailure(error);

  process.exitCode = Math.max(exitCode, Number(process.exitCode ?? 0));
  return { code, message, advice };
}
