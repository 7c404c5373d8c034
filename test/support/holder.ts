/** Targets that are held, and what that gains. */
import { once } from "node:events";
import { attach } from "../../src/protect/attach.js";
import { isAlive, until } from "./proc.js";
import { type Started, startReady } from "./start.js";

/** Why no holder can be tested here, or undefined. */
export const noHolder: string | undefined =
  process.getuid?.() === 0 ? undefined : "holders are for root: not tested";

/** Milliseconds from the end to the word of it. */
export async function timeExit(child: Started, end: (child: Started) => void): Promise<number> {
  const exited = once(child, "exit");
  const start = performance.now();

  end(child);
  await exited;
  return performance.now() - start;
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

/** A command whose end is timed. */
export interface Ending {
  readonly words: readonly string[];
  /** The processes that a holder is to hold; the command itself, unless given. */
  readonly targets?: (child: Started) => readonly number[];
  readonly end?: (child: Started) => void;
}

/** How many times sooner the end is heard of when the targets are held: medians of three, interleaved. */
export async function gainOfHolding({
  words,
  targets = ({ pid }) => [pid],
  end = (child) => child.kill("SIGKILL"),
}: Ending): Promise<number> {
  const times = { plain: [] as number[], held: [] as number[] };

  for (let run = 0; run < 3; run++) {
    times.plain.push(await timeExit(await startReady(words), end));
    const child = await startReady(words);
    const holds = await Promise.all(targets(child).map((pid) => attach(pid)));
    times.held.push(await timeExit(child, end));
    await until(() => !holds.some(({ holder }) => isAlive(holder)), "the holders are gone");
  }
  return median(times.plain) / median(times.held);
}
