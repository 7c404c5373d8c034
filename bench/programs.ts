/* The programs that a bench runs, and how it times them. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtFile } from "#dist/linux/native.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const library = builtFile("libasync-teardown.so");
export const launcher = builtFile("async-teardown");
export const SIGTERM = "15";
export const SIGKILL = "9";
export const closeInput = "0";

export interface Times {
  /** Seconds. */
  readonly start: number;
  readonly exit: number;
  readonly back: number;
}

export function compile(source: string): string {
  const program = join(root, "build/bench", source.replace(/.*\/(.*)\.c$/, "$1"));

  mkdirSync(join(root, "build/bench"), { recursive: true });
  execFileSync(process.env.CC ?? "cc", ["-O2", "-pthread", "-o", program, join(root, source)]);
  return program;
}

const stopwatch = compile("bench/stopwatch.c");

/** A command, and how it is ended. */
export interface Case {
  readonly words: readonly string[];
  readonly signal?: string;
  /** Variables of the stopwatch: stopwatch.c says which. */
  readonly env?: NodeJS.ProcessEnv;
}

export function measure({ words, signal = SIGKILL, env = {} }: Case): Times {
  const options = { env: { ...process.env, ...env }, stdio: "pipe" } as const;
  return JSON.parse(String(execFileSync(stopwatch, [signal, ...words], options))) as Times;
}

/** The words before a command that protect it, with release options as the library reads them. */
export function protecting(options = ""): string[] {
  return [`LD_PRELOAD=${library}`, `ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/strict:1${options}`];
}
