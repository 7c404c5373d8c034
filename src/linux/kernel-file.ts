import { readdirSync, readFileSync } from "node:fs";

/** All that a file of /proc, /sys or a cgroup says; "" where it is not there, or may not be read. */
export function readAll(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** What a setting of /proc or /sys is; undefined where it is not there, or may not be read. */
export function readSetting(path: string): string | undefined {
  return readAll(path).trim() || undefined;
}

/** The names in a directory of /proc or /sys; none where it is not there. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
