import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { builtFile, forbidCoreDumps, sharesAddressSpace } from "../linux/native.js";
import { closeProcess, openProcess, type ProcessDirectory } from "../linux/procfs.js";
import { claimantsOf } from "../linux/protectors.js";
import type { Check } from "./check.js";
import { checkCoreDumps } from "./core-dumps.js";
import { trialEnvironment } from "./environment.js";
import { checkOrphans, parentOf } from "./orphans.js";

/** What the trial of `run` tells. */
export interface RunTrial {
  readonly run: Check;
  /** What could be seen only where it worked. */
  readonly others: readonly Check[];
}

type Trial = ChildProcessWithoutNullStreams;

/** As a rule a tenth of a second; a machine under load is no machine on which it does not work. */
const longestStart = 10_000;

/** Node.js is the one program that is sure to be there. It waits for the end of its input. */
const script = "process.stdout.write('ready'); process.stdin.resume()";

function startTrial(): Trial {
  const words = ["run", "--mechanism", "helper", "--", process.execPath, "-e", script];
  return spawn(builtFile("async-teardown"), words, { env: trialEnvironment() });
}

/** Waits until it is ready; else returns what it said, or what else came of it. */
async function failureOf(trial: Trial): Promise<string | undefined> {
  const said = text(trial.stderr);
  const limit = setTimeout(() => trial.kill("SIGKILL"), longestStart);
  const ready = once(trial.stdout, "data").then(() => true);

  try {
    if (await Promise.race([ready, once(trial, "close").then(() => false)])) return undefined;
  } finally {
    clearTimeout(limit);
  }
  const [line = ""] = (await said).replace(/^async-teardown: (process \d+ )?/, "").split("\n");
  return line || `a small program ended before it was ready (${trial.exitCode ?? trial.signalCode})`;
}

/** The helper of the trial, open. Where the kernel does not compare address spaces, its name has to do. */
function openHelper(trial: number, canCompare: boolean): ProcessDirectory | undefined {
  const helper = claimantsOf(trial).find((pid) => !canCompare || sharesAddressSpace(pid, trial));
  return helper === undefined ? undefined : openProcess(helper);
}

async function look(trial: Trial, canCompare: boolean, coreLimit: number): Promise<RunTrial> {
  const failure = await failureOf(trial);

  if (failure !== undefined) return failed(failure);
  const helper = openHelper(trial.pid as number, canCompare);

  if (!helper) return failed("a small program started, but no helper shares its memory");
  try {
    const reaper = parentOf(helper);
    const coreDumps = await checkCoreDumps(trial, helper, coreLimit);
    const run: Check = { name: "run", status: "ok", found: "tried: a helper shared the memory of a program" };

    return { run, others: [coreDumps, await checkOrphans(helper, reaper)] };
  } finally {
    closeProcess(helper);
  }
}

function failed(found: string): RunTrial {
  return { run: { name: "run", status: "missing", found }, others: [] };
}

/**
 * Really runs a small program protected, ends it by a core dump that leaves no core, and looks at what becomes
 * of its helper.
 * @param canCompare whether the kernel compares address spaces; kcmp(2)
 */
export async function tryRun(canCompare: boolean): Promise<RunTrial> {
  const coreLimit = forbidCoreDumps();
  const trial = startTrial();

  try {
    return await look(trial, canCompare, coreLimit);
  } catch (error) {
    return failed((error as Error).message);
  } finally {
    trial.kill("SIGKILL");
  }
}
