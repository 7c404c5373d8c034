/** Targets that are held. */
import { expect } from "vitest";
import { attach } from "../../src/protect/attach.js";
import { isAlive, isParked, until } from "./proc.js";
import { ending, type Started, startReady } from "./start.js";

/** Why no holder can be tested here, or undefined. */
export const noHolder: string | undefined =
  process.getuid?.() === 0 ? undefined : "holders are for root: not tested";

/** A command that is ended while it is held. */
export interface Ending {
  readonly words: readonly string[];
  /** The processes that a holder is to hold; the command itself, unless given. */
  readonly targets?: (child: Started) => readonly number[];
  readonly end?: (child: Started) => void;
}

/**
 * Ends a command whose holders are stopped, and waits until its parent knows. So the parent has not waited for the
 * memory: every holder still keeps what it was parked on.
 */
export async function endWhileHeld({
  words,
  targets = ({ pid }) => [pid],
  end = (child) => child.kill("SIGKILL"),
}: Ending): Promise<void> {
  const child = await startReady(words);
  const holds = await Promise.all(targets(child).map((pid) => attach(pid)));

  await endWhileStopped(
    child,
    holds.map(({ holderPid }) => holderPid),
    end,
  );
}

/** The same of a command that runs, and is held. */
export async function endWhileStopped(
  child: Started,
  holders: readonly number[],
  end: (child: Started) => void = (each) => each.kill("SIGKILL"),
): Promise<void> {
  // Its readers take turns where a target names its threads, as a JVM does: a look may miss both.
  await until(() => holders.every(isParked), "the address space is held");
  for (const holder of holders) process.kill(holder, "SIGSTOP");
  try {
    end(child);
    await ending(child);
    expect(holders.every(isAlive), "the holders are there").toBe(true);
  } finally {
    for (const holder of holders) process.kill(holder, "SIGCONT");
  }
  await until(() => !holders.some(isAlive), "the holders are gone");
}
