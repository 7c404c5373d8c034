import type { Bytes } from "./bytes.js";

/** The first line of a script: `#!interpreter [argument]`. */
export interface Shebang {
  readonly interpreter: Bytes;
  /** All that follows, as one argument: Linux does not split it; execve(2). */
  readonly argument: Bytes | undefined;
}

/** Bytes to read from a file's start; the kernel looks no further (BINPRM_BUF_SIZE). */
export const shebangBytes = 256;

/** Reads a script's first line; undefined where the bytes do not start with one that names anything. */
export function parseShebang(start: Buffer): Shebang | undefined {
  const text = start.toString("latin1", 0, shebangBytes);

  if (!text.startsWith("#!")) return undefined;
  const line = text.slice(2).split("\n", 1)[0] ?? "";
  const words = /^[ \t]*([^ \t\0]+)[ \t]*([^\0]*?)[ \t]*(?:\0|$)/.exec(line);

  if (!words?.[1]) return undefined;
  return { interpreter: words[1], argument: words[2] || undefined };
}

/**
 * The command that `#!/usr/bin/env …` runs: the first word that is neither an option nor NAME=VALUE.
 * With -S, env splits its one argument at white space; env(1).
 */
export function commandOfEnv(argument: Bytes): Bytes | undefined {
  const words = argument.startsWith("-") ? argument.split(/[ \t]+/) : [argument];

  return words
    .map((word) => word.replace(/^(-\w*S|--split-string=)/, ""))
    .find((word) => word !== "" && !word.startsWith("-") && !word.includes("="));
}
