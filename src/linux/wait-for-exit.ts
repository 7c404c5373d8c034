import { setTimeout as sleep } from "node:timers/promises";
import { startExitWatcher, unwatchExit, watchExit } from "./native.js";
import { hasEnded, type ProcessDirectory } from "./procfs.js";

const waiting = new Map<number, () => void>();
let lastId = 0;
let isStarted = false;

function start(): boolean {
  isStarted ||= startExitWatcher((id) => waiting.get(id)?.()) === 0;
  return isStarted;
}

/** How often it is looked where the kernel has no pidfd, or forbids it: milliseconds. */
const step = 10;

async function waitBySteps(directory: ProcessDirectory, signal: AbortSignal | undefined): Promise<void> {
  while (!hasEnded(directory)) {
    await sleep(step);
    signal?.throwIfAborted();
  }
}

async function waitByPidfd(
  directory: ProcessDirectory,
  id: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // What the native thread does keeps no event loop alive; a timer does.
  const alive = setInterval(() => {}, 2 ** 30);
  let abort = () => {};

  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal?.reason);
      signal?.addEventListener("abort", abort);
      waiting.set(id, resolve);
      // The number was this process's when the pidfd was opened, if it is now.
      if (hasEnded(directory)) resolve();
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    waiting.delete(id);
    clearInterval(alive);
  }
}

/**
 * Resolves when the process is dead, at once if it is already; pidfd_open(2).
 * @throws the signal's reason
 */
export async function waitForExit(directory: ProcessDirectory, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const id = ++lastId;
  const pidfd = start() ? watchExit(directory.pid, id) : -1;

  if (pidfd < 0) return waitBySteps(directory, signal);
  try {
    await waitByPidfd(directory, id, signal);
  } finally {
    unwatchExit(pidfd);
  }
}
