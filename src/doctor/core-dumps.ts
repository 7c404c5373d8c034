import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { readSetting } from "../linux/kernel-file.js";
import { type ProcessDirectory, statOf } from "../linux/procfs.js";
import type { Check } from "./check.js";
import { endTrial } from "./trial.js";

/**
 * Whether this limit on its size, RLIMIT_CORE, prevents a core dump. To a file, both 0 and 1 do. To a pipe, only 1 does,
 * because the kernel ignores 0. To a socket, neither does. core(5).
 */
export function leavesNoCore(limit: number, pattern: string): boolean {
  if (limit < 0 || pattern.startsWith("@")) return false; // a socket
  return limit === 1 || !pattern.startsWith("|");
}

const isStopped = (helper: ProcessDirectory) => statOf(helper)?.state === "T";

/** Stopped, it stays to be looked at, and only a SIGKILL ends it. */
async function stop(helper: ProcessDirectory): Promise<void> {
  process.kill(helper.pid, "SIGSTOP");
  for (let attempt = 0; attempt < 1000 && !isStopped(helper); attempt++) await sleep(1);
}

/** Whether the helper is still there when its target has dumped core. Ends both. */
async function survivesCoreDump(trial: ChildProcess, helper: ProcessDirectory): Promise<boolean> {
  await stop(helper);
  try {
    await endTrial(trial, "SIGABRT");
    return isStopped(helper);
  } finally {
    if (isStopped(helper)) process.kill(helper.pid, "SIGCONT");
  }
}

/**
 * Ends the trial, by a core dump where none is left by it. Before Linux 5.16, that killed everyone who shared
 * its memory.
 */
export async function checkCoreDumps(
  trial: ChildProcess,
  helper: ProcessDirectory,
  limit: number,
): Promise<Check> {
  const name = "core-dumps";
  const pattern = readSetting("/proc/sys/kernel/core_pattern");

  if (pattern === undefined || !leavesNoCore(limit, pattern)) {
    await endTrial(trial, "SIGKILL");
    const why =
      pattern === undefined
        ? "it might leave a core (kernel.core_pattern cannot be read)"
        : `it would leave a core (kernel.core_pattern = ${pattern})`;
    return { name, status: "info", found: `not tried: ${why}` };
  }
  if (await survivesCoreDump(trial, helper))
    return { name, status: "ok", found: "tried: a helper outlives the core dump of its target" };
  return {
    name,
    status: "limited",
    found: "tried: the core dump of a target ends its helper",
    advice: "after a crash that dumps core the exit is a slow one; it needs Linux 5.16, or `attach`",
  };
}
