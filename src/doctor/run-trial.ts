import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { toBytes } from "../linux/bytes.js";
import {
  builtFile,
  compareAddressSpaces,
  examineCommand,
  forbidCoreDumps,
  preloadLibrary,
} from "../linux/native.js";
import { checkProc, closeProcess, openProcess, type ProcessDirectory } from "../linux/procfs.js";
import { claimantsOf } from "../linux/protectors.js";
import { protectSelf } from "../protect/self.js";
import { type Check, missing } from "./check.js";
import { checkCoreDumps } from "./core-dumps.js";
import { checkOrphans, parentOf } from "./orphans.js";
import { trialEnvironment } from "./trial.js";

/** What the trial of `run` tells. */
export interface RunTrial {
  readonly run: Check;
  /** What could be seen only where it worked. */
  readonly others: readonly Check[];
}

type Trial = ChildProcessByStdio<Writable, Readable, null>;

/** As a rule a tenth of a second; a machine under load is no machine on which it does not work. */
const longestStart = 10_000;

/** Node.js is the one program that is sure to be there. It waits for the end of its input. */
const script = "process.stdout.write('ready'); process.stdin.resume()";

function startTrial(): Trial {
  const words = ["run", "--mechanism", "helper", "--", process.execPath, "-e", script];
  return spawn(builtFile("async-teardown"), words, {
    env: trialEnvironment(),
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function failed(found: string, advice?: string): RunTrial {
  return { run: { name: "run", status: "missing", found, advice }, others: [] };
}

/** Whether a program gets ready that is to wait for its input then. */
async function isReady(trial: Trial): Promise<boolean> {
  const limit = setTimeout(() => trial.kill("SIGKILL"), longestStart);
  const ready = once(trial.stdout, "data").then(() => true);

  try {
    return await Promise.race([ready, once(trial, "close").then(() => false)]);
  } finally {
    clearTimeout(limit);
  }
}

/** Does by itself what a `run` of Node.js does, and so gets the error that the trial only told people of. */
function explain({ exitCode, signalCode }: Trial): RunTrial {
  try {
    preloadLibrary();
    examineCommand({ command: toBytes(process.execPath), path: undefined });
    protectSelf();
  } catch (error) {
    return { run: missing("run", error), others: [] };
  }
  return failed(
    `a program ended before it was ready (${exitCode ?? signalCode})`,
    "'async-teardown run -- true' may say why",
  );
}

/** The helper of the trial, open. Where the kernel does not compare address spaces, its name has to do. */
function openHelper(trial: number, canCompare: boolean): ProcessDirectory | undefined {
  const helper = claimantsOf(trial).find((pid) => !canCompare || compareAddressSpaces(pid, trial) === true);
  return helper === undefined ? undefined : openProcess(helper);
}

async function look(trial: Trial, canCompare: boolean, coreLimit: number): Promise<RunTrial> {
  if (!(await isReady(trial))) return explain(trial);
  const helper = openHelper(trial.pid as number, canCompare);

  if (!helper) return failed("a program started, but no helper shares its memory");
  try {
    const reaper = parentOf(helper);
    const coreDumps = await checkCoreDumps(trial, helper, coreLimit);
    const run: Check = { name: "run", status: "ok", found: "tried: a helper shared the memory of a program" };

    return { run, others: [coreDumps, await checkOrphans(helper, reaper)] };
  } finally {
    closeProcess(helper);
  }
}

/**
 * Really runs a small program protected, ends it by a core dump that leaves no core, and looks at what becomes
 * of its helper.
 * @param canCompare whether the kernel compares address spaces; kcmp(2)
 */
export async function tryRun(canCompare: boolean): Promise<RunTrial> {
  let trial: Trial | undefined;

  try {
    checkProc();
    const coreLimit = forbidCoreDumps();

    trial = startTrial();
    return await look(trial, canCompare, coreLimit);
  } catch (error) {
    return { run: missing("run", error), others: [] };
  } finally {
    trial?.kill("SIGKILL");
  }
}

/** Where no helper can be had, `run` takes a holder by itself. That is tried as well. */
export function orByHolder(run: Check, attach: Check): Check {
  if (run.status !== "missing" || attach.status !== "ok") return run;
  const words = ["run", "--", process.execPath, "-e", ""];
  const trial = spawnSync(builtFile("async-teardown"), words, {
    env: trialEnvironment(),
    timeout: longestStart,
    stdio: "ignore",
  });

  return trial.status === 0 ? { ...run, status: "limited", found: `by a holder only: ${run.found}` } : run;
}
