import { readdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";

/** Every process that /proc shows. */
export function allPids(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** So many processes are looked at in one turn of the event loop: a few milliseconds. */
const atOnce = 256;

/**
 * The same, for a look that others need not wait for.
 * @throws the signal's reason
 */
export async function* eachPid(signal?: AbortSignal): AsyncGenerator<number, void> {
  const pids = allPids();

  for (let from = 0; from < pids.length; from += atOnce) {
    signal?.throwIfAborted();
    yield* pids.slice(from, from + atOnce);
    await turn();
  }
}
