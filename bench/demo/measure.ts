import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { formatBytes } from "#dist/format.js";
import { endWithUs } from "./cleanup.js";
import { DemoError } from "./error.js";
import { durationText } from "./format.js";
import type { Contender } from "./load.js";
import { helperOf, shareOfHugePages, stateOf, stateOfTask, systemMemory, type Task } from "./probes.js";
import { startProgress } from "./progress.js";

export interface Measurement {
  /** Milliseconds from SIGKILL to the parent's "exit" event. */
  readonly exit: number;
  /** Milliseconds from SIGKILL until all of the memory is back. */
  readonly back: number;
  /** From 0 to 1. */
  readonly shareOfHugePages: number;
}

const fillPollMs = 20;
const stopPollMs = 5;
const settleMs = 200;

async function waitUntilItHolds(child: ChildProcess, pid: number, bytes: number, label: string) {
  const progress = startProgress(label, "fills", bytes);
  const complaints = child.stderr ? text(child.stderr) : "";
  const start = performance.now();
  let held = 0;

  while (held < bytes) {
    await sleep(fillPollMs);
    held = (await stateOf(pid))?.residentBytes ?? 0;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new DemoError(
        `the process ended (${child.signalCode ?? `exit code ${child.exitCode}`}) before it held ` +
          `${formatBytes(bytes)}: ${(await complaints).trim() || "try a smaller --size"}`,
      );
    progress.show(Math.min(held, bytes), "fills");
  }
  progress.end(`holds ${formatBytes(bytes)} after ${durationText(performance.now() - start)}`);
}

async function stop(child: ChildProcess, helper: Task | undefined, bytes: number, label: string) {
  const progress = startProgress(label, "exits", bytes);
  const freeBefore = (await systemMemory()).free;
  let exitedAt: number | undefined;
  let back = 0;

  child.once("exit", () => {
    exitedAt = performance.now();
  });
  const killedAt = performance.now();
  child.kill("SIGKILL");

  for (;;) {
    await sleep(stopPollMs);
    const last = helper && (await stateOfTask(helper));
    if (exitedAt !== undefined && last === undefined) break;

    // What a task in exit still holds does not show, other than by what the machine has free.
    const held = last?.residentBytes || bytes - ((await systemMemory()).free - freeBefore);
    back = Math.max(back, Math.min(bytes - held, bytes));
    progress.show(back, exitedAt === undefined ? "exits" : "gives back");
  }
  // The kernel frees the memory of a plain process before its parent hears of the exit.
  const backAt = helper ? performance.now() : exitedAt;
  const times = { exit: exitedAt - killedAt, back: backAt - killedAt };

  progress.end(`exited in ${durationText(times.exit)}, memory back in ${durationText(times.back)}`);
  return times;
}

/** Lets it take its memory, kills it, and waits until the memory is back. */
export async function measure(contender: Contender, bytes: number, label: string): Promise<Measurement> {
  const child = endWithUs(contender.start(bytes));
  await once(child, "spawn");
  const pid = child.pid as number;

  await waitUntilItHolds(child, pid, bytes, label);
  await sleep(settleMs);
  const hugePages = await shareOfHugePages(pid);
  const helper = contender.hasHelper ? await helperOf(pid) : undefined;

  return { ...(await stop(child, helper, bytes, label)), shareOfHugePages: hugePages };
}
