import { setTimeout as sleep } from "node:timers/promises";
import {
  closeProcess,
  isOver,
  openProcess,
  type ProcessDirectory,
  statOf,
  statusField,
} from "../linux/procfs.js";
import type { Check } from "./check.js";

/** Who has to reap a process, in words. */
export function parentOf(directory: ProcessDirectory): string {
  const pid = Number(statusField(directory, "PPid"));
  const parent = openProcess(pid);
  const name = parent && statOf(parent)?.name;

  if (parent) closeProcess(parent);
  return `process ${pid}${name === undefined ? "" : ` (${name})`}`;
}

/** Milliseconds; an init that waits for its children takes one. */
const patience = 1000;

/** Waits for the helper's end, and for its reaper. */
export async function checkOrphans(helper: ProcessDirectory, reaper: string): Promise<Check> {
  const name = "orphans";
  const end = performance.now() + patience;

  while (performance.now() < end) {
    if (!statOf(helper)) return { name, status: "ok", found: `${reaper} reaps the helpers that have ended` };
    await sleep(5);
  }
  const stat = statOf(helper);

  if (stat && !isOver(stat))
    return {
      name,
      status: "info",
      found: "not tried: the helper of the trial takes more than a second to end",
    };
  return {
    name,
    status: "limited",
    found: `${reaper} has left a helper that ended a zombie for a second`,
    advice:
      "no harm if it reaps later; if `ps` shows more and more zombies named cleanup/PID, it never does: in a " +
      "container, it needs an init ('docker run --init')",
  };
}
