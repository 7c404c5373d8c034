import { setTimeout as sleep } from "node:timers/promises";
import { AsyncTeardownError } from "../errors.js";
import type { AddressSpace } from "../teardown/address-space.js";
import type { MemoryRequest } from "./request.js";
import { findShortages, type Shortage } from "./shortages.js";
import {
  findUnderWay,
  isNothing,
  newStandstill,
  nothingUnderWay,
  stillUnderWay,
  teardownsOf,
} from "./under-way.js";

/** How a wait for memory stands. */
export interface MemoryStep {
  /** Where memory is lacking; none in the last step. */
  readonly shortages: readonly Shortage[];
  /** What is giving memory back meanwhile. */
  readonly teardowns: readonly AddressSpace[];
}

function noRoom(shortages: readonly Shortage[], why: string, advice: string): AsyncTeardownError {
  const sentences = shortages.map(({ sentence }) => sentence).join("; ");
  return new AsyncTeardownError("ERR_NO_ROOM", `${sentences}: ${why}`, { advice });
}

const endSomething = "end something first, or ask for less";

/** Milliseconds between two looks at the memory, of about half a millisecond each. */
const step = 100;

/** The counters of the kernel run a little behind, as each CPU keeps some pages for itself. */
const grace = 300;

/**
 * Looks at the memory until all that is asked for can be had: a step at once, and one at every look.
 * @throws AsyncTeardownError ERR_NO_ROOM where that cannot be waited for, ERR_USAGE, ERR_CGROUP, ERR_NO_PROC,
 *   ERR_PLATFORM, ERR_NOT_BUILT; the signal's reason
 */
export async function* watchMemory(
  request: MemoryRequest,
  signal?: AbortSignal,
): AsyncGenerator<MemoryStep, void> {
  const isStandingStill = newStandstill();
  let underWay = nothingUnderWay;
  let idleSince: number | undefined;

  for (;;) {
    signal?.throwIfAborted();
    // Looked at before the memory: what has ended by then has given back all that it had.
    underWay = stillUnderWay(underWay);
    if (isNothing(underWay)) underWay = await findUnderWay(signal);
    const shortages = findShortages(request);
    const impossible = shortages.filter(({ possible }) => !possible);

    if (impossible.length > 0) throw noRoom(impossible, "that can never be had", "ask for less");
    yield { shortages, teardowns: teardownsOf(underWay) };
    if (shortages.length === 0) return;

    idleSince = isNothing(underWay) ? (idleSince ?? performance.now()) : undefined;
    if (idleSince !== undefined && performance.now() - idleSince > grace)
      throw noRoom(shortages, "no teardown is under way that would give it back", endSomething);
    if (!isNothing(underWay) && isStandingStill(shortages, underWay))
      throw noRoom(shortages, "what is under way gives nothing back", endSomething);
    await sleep(step, undefined, { signal }).catch(() => {}); // said at the next turn
  }
}

/**
 * Resolves when so much memory can really be had: from the host without swapping, within the limits of the
 * cgroup, and from the pools of huge pages. Rejects at once where it is lacking and nobody is giving any back.
 * @throws as {@link watchMemory}
 */
export async function waitForMemory({
  signal,
  ...request
}: MemoryRequest & { signal?: AbortSignal | undefined }): Promise<void> {
  for await (const _ of watchMemory(request, signal));
}
