import { writeSync } from "node:fs";
import { AsyncTeardownError, errorCodes } from "../errors.js";

/*
 * All is written at once and directly: process.stdout and process.stderr would set O_NONBLOCK on a pipe
 * that is the target's, too.
 */

const clock = new Int32Array(new SharedArrayBuffer(4));

/** Milliseconds between two attempts at a pipe that is full: somebody who shares it has set O_NONBLOCK. */
const pause = 5;

/** Writes all of it, however long a slow reader needs: a write may take a part, or nothing. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);

  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(clock, 0, 0, pause); // blocks, as a write does
    }
  }
}

/** What a shell says of a command that SIGPIPE has ended, which Node.js ignores. */
const endedBySigpipe = 141;

/**
 * Writes to standard output. False where the reader has gone, as under `| head`; the exit code says so as well, if
 * nothing worse is to be said.
 * @throws AsyncTeardownError ERR_OUTPUT
 */
export function print(text: string): boolean {
  try {
    writeAll(1, text);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EPIPE")
      throw new AsyncTeardownError("ERR_OUTPUT", `standard output cannot be written (${code})`, { cause });
    process.once("exit", () => {
      process.exitCode ||= endedBySigpipe;
    });
    return false;
  }
}

/** Writes to standard error. Where that is closed or full, the exit code says it still. */
export function printError(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // see above
  }
}

export function complain(sentence: string): void {
  printError(`async-teardown: ${sentence}\n`);
}

function sentenceOf(error: AsyncTeardownError): string {
  return error.advice === undefined ? error.message : `${error.message}; ${error.advice}`;
}

/** Says what went wrong, in one line, and gives the exit code for it. */
export function reportFailure(error: unknown): number {
  if (!(error instanceof AsyncTeardownError)) {
    complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 125;
  }
  complain(sentenceOf(error));
  return errorCodes[error.code].exitCode;
}

/** What went wrong, for machines. */
export type FailureFields = Pick<AsyncTeardownError, "code" | "message" | "advice">;

/**
 * Reports the failure of one item of several: prints a line on standard error unless the output is JSON, and raises
 * `process.exitCode` if this error's is larger.
 * @throws the error, where it is not ours, or is ERR_OUTPUT
 */
export function noteFailure(error: unknown, isJson: boolean): FailureFields {
  if (!(error instanceof AsyncTeardownError) || error.code === "ERR_OUTPUT") throw error;
  const { code, message, advice } = error;
  const exitCode = isJson ? errorCodes[code].exitCode : reportFailure(error);

  process.exitCode = Math.max(exitCode, Number(process.exitCode ?? 0));
  return { code, message, advice };
}
