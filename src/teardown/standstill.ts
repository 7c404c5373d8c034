import { setTimeout as sleep } from "node:timers/promises";
import { residentOf } from "../linux/procfs.js";

/** Milliseconds that nothing has to come back before it is said to stand still. */
export const patience = 5000;

/** Less than this is noise. */
export const leastBytes = 2 ** 20;

const step = 250;

/** Resolves when a process gives no memory back any more, or has ended. */
export async function standstill(pid: number, signal: AbortSignal): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let since = performance.now();

  while (performance.now() - since < patience) {
    const held = residentOf(pid);

    if (held === undefined) return;
    if (held <= least - leastBytes) {
      least = held;
      since = performance.now();
    }
    await sleep(step, undefined, { signal });
  }
}
