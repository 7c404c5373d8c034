import { execa } from "execa";
import { program } from "./paths.js";

/** What bench/stopwatch.c measured: seconds, and the status of waitpid. */
export interface Measured {
  readonly pid: number;
  readonly status: number;
  readonly exit: number;
  readonly back: number;
}

/** Runs a command until it is ready, ends it by a signal (0: closes its standard input) and times that. */
export async function timeEnd(signal: number, words: readonly string[]): Promise<Measured> {
  const { stdout } = await execa(program("stopwatch"), [String(signal), ...words]);
  return JSON.parse(stdout) as Measured;
}
