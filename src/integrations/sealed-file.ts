import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";

/*
 * A file of ours among a system's configuration. Its first line, or a script's second, has a hash of the rest: whether somebody else
 * changed it is seen without knowing what an older version of this package wrote.
 */

/** "other" is a file that is not ours, or that somebody changed, or no file at all. */
export type FileState = "missing" | "ours" | "other";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** The line that makes a file a script, or nothing; it has to be the first. */
const interpreterOf = (text: string) => /^#![^\n]*\n/.exec(text)?.[0] ?? "";

export function seal(text: string): string {
  const interpreter = interpreterOf(text);
  const line = `# Written by async-teardown, sha256 ${hash(text)}. Not touched again once it is changed.\n`;

  return interpreter + line + text.slice(interpreter.length);
}

/** Whether a text is as {@link seal} gave it, in this version or another one. */
export function isSealed(text: string): boolean {
  const interpreter = interpreterOf(text);
  const [, sum, rest = ""] =
    /^# Written by async-teardown, sha256 ([0-9a-f]{64})[^\n]*\n(.*)$/s.exec(
      text.slice(interpreter.length),
    ) ?? [];

  return sum === hash(interpreter + rest);
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** Never follows a link: one in this place is somebody else's. */
export function stateOfFile(path: string): FileState {
  try {
    if (!lstatSync(path).isFile()) return "other";
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return isSealed(readFileSync(fd, "utf8")) ? "ours" : "other";
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return "missing";
    throw error;
  }
}

/** Puts the whole text there, or changes nothing: a full disk leaves what was there. */
export function replaceFile(path: string, text: string, mode: 0o644 | 0o755 = 0o644): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}~`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);

  try {
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}
