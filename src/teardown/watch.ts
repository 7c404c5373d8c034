import { setTimeout as sleep } from "node:timers/promises";
import { commandOf } from "../linux/command-line.js";
import { openTarget } from "../linux/open-target.js";
import { closeProcess, hasEnded, openProcess, type ProcessDirectory, userOf } from "../linux/procfs.js";
import { findProtectors, lookAgain, type Protector } from "../linux/protectors.js";
import { refuseProtector } from "../linux/refuse-protector.js";
import { waitForExit } from "../linux/wait-for-exit.js";
import { type AddressSpace, addressSpaceOf, withProgress } from "./address-space.js";
import { standstill } from "./standstill.js";

export interface WatchOptions {
  /**
   * Milliseconds between two looks at a teardown. Infinity looks only when something begins or ends.
   * @default 250
   */
  interval?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Waits for the event, but no longer. */
async function within(milliseconds: number, event: Promise<void>): Promise<void> {
  if (milliseconds === Number.POSITIVE_INFINITY) return event;
  const stop = new AbortController();

  await Promise.race([event, sleep(milliseconds, undefined, { signal: stop.signal })]).finally(() =>
    stop.abort(),
  );
}

interface Protectors {
  /** Also those that this user may not look into, if they are the target's user's: their end is waited for. */
  readonly believed: readonly Protector[];
  /** Nobody saw whose the dead target was, so that anybody may say that he has its memory. */
  readonly doubtful: readonly Protector[];
}

async function protectorsOf(
  pid: number,
  isTargetGone: boolean,
  user: string | undefined,
  signal: AbortSignal,
): Promise<Protectors> {
  const { protectors, hidden } = await findProtectors(signal);

  refuseProtector(protectors, pid);
  const isOfTarget = (each: Protector) =>
    each.target === pid && !each.isTargetElsewhere && each.isTargetGone === isTargetGone;
  const others = hidden.filter(isOfTarget);

  return {
    believed: [
      ...protectors.filter(isOfTarget),
      ...others.filter((each) => each.user !== undefined && each.user === user),
    ],
    doubtful: user === undefined ? others : [],
  };
}

/** A teardown as it was seen so far. */
interface Seen {
  /** The user that it was of when it was last seen; undefined where it was not. */
  user: string | undefined;
  /** The target's, when it lived. */
  readonly command: AddressSpace["command"];
  /** Its protectors, when it lived. */
  protectors: readonly Protector[];
  /** When it died, by performance.now(); undefined where nobody knows. */
  died: number | undefined;
  last: AddressSpace | undefined;
}

const now = () => performance.now();

/** Adds a look. The kernel shows less and less of an address space, and counts loosely: what was known stays. */
function add(seen: Seen, look: AddressSpace): AddressSpace {
  const { last } = seen;
  const held = [last?.heldBytes, look.heldBytes].filter((bytes) => typeof bytes === "number");

  if (look.elapsedSeconds !== null) seen.died = now() - look.elapsedSeconds * 1000;
  seen.last = withProgress({
    ...look,
    command: look.command ?? last?.command ?? seen.command,
    unit: look.unit ?? last?.unit ?? null,
    container: look.container ?? last?.container ?? null,
    heldBytes: held.length > 0 ? Math.min(...held) : null,
    // Where nobody recorded it: what the first look after the death shows.
    initialBytes: look.initialBytes ?? last?.initialBytes ?? (look.state === "ended" ? null : look.heldBytes),
    elapsedSeconds: seen.died === undefined ? null : (now() - seen.died) / 1000,
  });
  return seen.last;
}

/** What is left to tell: nobody has the memory, or only somebody who says so, and gives nothing back. */
function ended(pid: number, liars: readonly Protector[]): AddressSpace {
  const heldBytes = liars.length === 0 ? 0 : null;
  const protectors = liars.map(({ pid, mechanism }) => ({ pid, mechanism }));

  return { ...addressSpaceOf(pid, [], true), state: "ended", heldBytes, protectors };
}

/** Resolves when it has ended, or when one that is not believed gives nothing back. */
function overOf(directory: ProcessDirectory, isDoubtful: boolean, signal: AbortSignal): Promise<void> {
  const isEnded = waitForExit(directory, signal);
  return isDoubtful ? Promise.race([isEnded, standstill(directory.pid, signal)]) : isEnded;
}

/** Looks at a teardown until nobody has the memory any more. */
async function* watchTeardown(
  pid: number,
  seen: Seen,
  interval: number,
  signal: AbortSignal,
): AsyncGenerator<AddressSpace, void> {
  const { believed, doubtful } = await protectorsOf(pid, true, seen.user, signal);
  const again = (each: Protector) => lookAgain(each, seen.user);
  // After the target's death a protector inside a container can no longer be matched to this PID. So those stay that
  // were matched while the target lived.
  const known = seen.protectors.filter((each) => !believed.some((other) => other.pid === each.pid));
  const protectors = [...known.map(again).filter((each) => each !== undefined), ...believed, ...doubtful];
  const directories = protectors.map((each) => openProcess(each.pid)).filter((each) => each !== undefined);
  const isDoubtful = ({ pid }: { pid: number }) => doubtful.some((each) => each.pid === pid);

  try {
    let isOver = false;
    const over = Promise.all(directories.map((each) => overOf(each, isDoubtful(each), signal))).then(() => {
      isOver = true;
    });

    over.catch(() => {}); // it may fail while nobody asks for the next step
    while (!isOver) {
      const each = protectors.map(again).filter((protector) => protector !== undefined);

      if (each.length > 0) yield add(seen, addressSpaceOf(pid, each, true));
      await within(interval, over);
    }
    yield add(seen, ended(pid, doubtful.filter(again)));
  } finally {
    directories.forEach(closeProcess);
  }
}

/**
 * Watches the end of a process: a step at once, a step when the target dies, then one at every interval
 * while its memory is given back, and a last one, "ended", when all is back. Where there is no such process,
 * and nobody has its memory, that is the only one.
 * @throws AsyncTeardownError ERR_NO_PROCESS for a thread, ERR_NOT_HOLDABLE for a kernel thread, ERR_PROTECTOR, ERR_NO_PROC,
 *   ERR_PLATFORM, ERR_NOT_BUILT; the signal's reason
 */
export async function* watch(
  pid: number,
  { interval = 250, signal }: WatchOptions = {},
): AsyncGenerator<AddressSpace, void> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const target = openTarget(pid);
  const seen: Seen = {
    user: target && userOf(target),
    command: commandOf(pid) ?? null,
    protectors: [],
    died: undefined,
    last: undefined,
  };

  try {
    if (target && !hasEnded(target)) {
      seen.protectors = (await protectorsOf(pid, false, seen.user, either)).believed;
      yield addressSpaceOf(pid, seen.protectors, false);
      await waitForExit(target, either);
      seen.died = now();
      seen.user = userOf(target) ?? seen.user; // it may have changed its user; a zombie has one still
    }
    yield* watchTeardown(pid, seen, interval, either);
  } finally {
    stop.abort();
    if (target) closeProcess(target);
  }
}

/**
 * Resolves when the address space of a process is wholly gone: the process has exited, and its teardown is
 * finished; at once where there is nothing to wait for. Gives the last step of {@link watch}.
 * @throws as {@link watch}
 */
export async function wait(pid: number, { signal }: { signal?: AbortSignal | undefined } = {}) {
  let last: AddressSpace | undefined;

  for await (const step of watch(pid, { interval: Number.POSITIVE_INFINITY, signal })) last = step;
  return last as AddressSpace;
}
