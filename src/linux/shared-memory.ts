import { closeSync, constants, openSync } from "node:fs";
import { askInTime } from "./ask-in-time.js";
import { isSharedMemory } from "./memory-file.js";
import { openPathWithin, readWithin } from "./native.js";
import { type ProcessDirectory, userOf } from "./procfs.js";

/**
 * A shared memory object that a process maps: a shared anonymous mapping, a memory file, or one of System V. It has no
 * name in any directory, so it is freed when the last one that has it lets go.
 */
export interface SharedObject {
  /** The same for all that map it. */
  readonly key: string;
  /** The addresses of its first mapping, as the names in /proc/<pid>/map_files. */
  readonly range: string;
  /** What of it is mapped, in memory or not. */
  readonly bytes: number;
}

/** "start-end rw-s offset device inode      path (deleted)"; proc_pid_maps(5). */
const sharedMapping = /^(([0-9a-f]+)-([0-9a-f]+)) ..[x-]s [0-9a-f]+ ([0-9a-f:]+ [1-9]\d*) +.* \(deleted\)$/;

/** The shared memory objects in the text of /proc/<pid>/maps; deleted files of other kinds may be among them. */
export function parseSharedObjects(maps: string): SharedObject[] {
  const objects = new Map<string, SharedObject>();

  for (const line of maps.split("\n")) {
    const [, range, start, end, key] = sharedMapping.exec(line) ?? [];

    if (range === undefined || key === undefined) continue;
    const bytes = Number.parseInt(end ?? "", 16) - Number.parseInt(start ?? "", 16);
    const known = objects.get(key);
    objects.set(key, { key, range: known?.range ?? range, bytes: bytes + (known?.bytes ?? 0) });
  }
  return [...objects.values()];
}

/** Some 60,000 mappings, which is as many as a process may have unless that is raised; vm.max_map_count. */
const mostBytes = 8 * 2 ** 20;

/** As much as it can be read in a second; its owner can keep us waiting. */
function readMaps(directory: ProcessDirectory): string {
  const descriptor = openSync(`/proc/self/fd/${directory.descriptor}/maps`, constants.O_RDONLY);
  const chunks: Buffer[] = [];

  try {
    for (let length = 0; length < mostBytes; ) {
      const buffer = Buffer.allocUnsafe(64 * 1024);
      const count =
        askInTime(userOf(directory), (milliseconds) => readWithin(descriptor, buffer, milliseconds)) ?? 0;

      if (count <= 0) break;
      chunks.push(buffer.subarray(0, count));
      length += count;
    }
    return Buffer.concat(chunks).toString("latin1");
  } finally {
    closeSync(descriptor);
  }
}

/** The shared memory objects that a process maps; none where it is gone, or may not be looked at. */
export function sharedObjectsOf(directory: ProcessDirectory): SharedObject[] {
  try {
    return parseSharedObjects(readMaps(directory));
  } catch {
    return [];
  }
}

/**
 * Opens a path to an object that a process maps: whoever has it open keeps the object, and can do nothing else with it.
 * Undefined where it is something else by now, or where this may not be done: it needs CAP_CHECKPOINT_RESTORE, or
 * CAP_SYS_ADMIN before Linux 5.9.
 */
export function openSharedObject(directory: ProcessDirectory, { range }: SharedObject): number | undefined {
  const descriptor = askInTime(userOf(directory), (milliseconds) =>
    openPathWithin(directory.descriptor, `map_files/${range}`, milliseconds),
  );

  if (descriptor === undefined || descriptor < 0) return undefined;
  if (isSharedMemory(descriptor)) return descriptor;
  closeSync(descriptor);
  return undefined;
}
