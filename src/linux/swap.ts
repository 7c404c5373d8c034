import { readSetting } from "./kernel-file.js";

/** Swap of all devices and files together, in bytes. */
export interface Swap {
  readonly total: number;
  readonly used: number;
}

/** Reads the text of /proc/swaps: a heading, then a line each; proc_swaps(5). */
export function parseSwaps(text: string): Swap {
  const sum = { total: 0, used: 0 };

  for (const line of text.split("\n")) {
    // What stands before may hold blanks: a file's name, with " (deleted)" behind it.
    const [, total, used] = /\s(\d+)\s+(\d+)\s+-?\d+\s*$/.exec(line) ?? [];
    sum.total += Number(total ?? 0) * 1024;
    sum.used += Number(used ?? 0) * 1024;
  }
  return sum;
}

export function swap(): Swap {
  return parseSwaps(readSetting("/proc/swaps") ?? "");
}
