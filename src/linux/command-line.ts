import { closeSync, constants, openSync } from "node:fs";
import { askInTime } from "./ask-in-time.js";
import { type Bytes, splitAtNul, toText } from "./bytes.js";
import { withProcess } from "./living-target.js";
import { readWithin } from "./native.js";
import { type ProcessDirectory, userOf } from "./procfs.js";

/** A process may say that its arguments are all of its memory; prctl(2), PR_SET_MM. So much is read. */
const mostBytes = 128 * 1024;

function read(directory: ProcessDirectory): Buffer {
  const buffer = Buffer.allocUnsafe(mostBytes);
  let descriptor: number | undefined;

  try {
    const opened = openSync(`/proc/self/fd/${directory.descriptor}/cmdline`, constants.O_RDONLY);

    descriptor = opened;
    const bytes = askInTime(userOf(directory), (milliseconds) => readWithin(opened, buffer, milliseconds));
    return buffer.subarray(0, Math.max(0, bytes ?? 0));
  } catch {
    return buffer.subarray(0, 0); // it is gone
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * The arguments of a process; none where it is gone, has wiped them out, or keeps us waiting for them. They are in its
 * memory: it may have written there what it likes.
 */
export function argumentsOf(directory: ProcessDirectory): Bytes[] {
  const bytes = read(directory);

  return splitAtNul(bytes.length < mostBytes ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]));
}

/** The command and arguments of a process, for people; undefined where there are none. */
export function commandOf(pid: number): string[] | undefined {
  const words = withProcess(pid, argumentsOf)?.map(toText);
  return words?.some((word) => word !== "") ? words : undefined;
}
