import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { createMemoryFile } from "./native.js";

/*
 * A descriptor of a stranger's process may be anything: a FIFO that nobody writes to, a device that only root may
 * open, a file of a server that hangs, with the very path of a memory file. Even stat(2) and statfs(2) ask the
 * server then. So it is opened as a path only, which opens nothing, and nothing is asked of the file itself before
 * the kernel has said that it is on the one mount, of its own, that memory files are on.
 */

const O_PATH = 0o10000000;

/** The mount that an open file is on, which the kernel knows without asking the file; proc_pid_fdinfo(5). */
function mountOf(descriptor: number): string | undefined {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
}

let ownMount: string | undefined;

/** That of memory files: there is one for the whole system; undefined where this process can make none. */
function mountOfMemoryFiles(): string | undefined {
  if (ownMount !== undefined) return ownMount;
  const descriptor = createMemoryFile();

  if (descriptor < 0) return undefined;
  try {
    ownMount = mountOf(descriptor);
    return ownMount;
  } finally {
    closeSync(descriptor);
  }
}

function using<T>(descriptor: number, act: (descriptor: number) => T): T {
  try {
    return act(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function contentsOf(descriptor: number, mostBytes: number): Buffer {
  const buffer = Buffer.alloc(mostBytes);

  // Without blocking: its owner may hold a lease on it; fcntl(2), F_SETLEASE.
  return using(openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK), (reader) =>
    buffer.subarray(0, readSync(reader, buffer, 0, mostBytes, 0)),
  );
}

/**
 * Whether a descriptor, opened as a path, leads to a shared memory object: a memory file, a shared anonymous mapping, or
 * one of System V. They are all on that mount.
 */
export function isSharedMemory(descriptor: number): boolean {
  const mount = mountOfMemoryFiles();
  return mount !== undefined && mountOf(descriptor) === mount;
}

/**
 * What a small memory file says that another process has open.
 * @param path of its descriptor, below /proc/<pid>/fd
 * @returns undefined where it is no memory file, or a larger one
 * @throws an error of the system where it is gone, or may not be read
 */
export function readMemoryFile(path: string, mostBytes: number): Buffer | undefined {
  return using(openSync(path, O_PATH), (descriptor) => {
    if (!isSharedMemory(descriptor)) return undefined;
    const file = fstatSync(descriptor);
    return file.isFile() && file.nlink === 0 && file.size <= mostBytes
      ? contentsOf(descriptor, mostBytes)
      : undefined;
  });
}
