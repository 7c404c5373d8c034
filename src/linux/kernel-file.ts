import { readdirSync, readFileSync } from "node:fs";

/** What a file of /proc or /sys says; undefined where it is not there, or may not be read. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The names in a directory of /proc or /sys; none where it is not there. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
