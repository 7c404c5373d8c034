import { checkAttach } from "./attach-trial.js";
import { checkCgroup, leavingNoCgroup } from "./cgroup.js";
import type { Check } from "./check.js";
import { checkKernel, checkPidNamespace, checkYama } from "./kernel.js";
import { checkHugePages, checkSwap, checkTransparentHugePages } from "./memory-checks.js";
import { type Answers, checkNativeParts } from "./native-parts.js";
import { orByHolder, type RunTrial, tryRun } from "./run-trial.js";
import { checkSystemCalls } from "./system-calls.js";

/** What the machine can do. */
export interface Examination {
  /** Whether a command can be run protected. */
  readonly run: boolean;
  /** Whether a process of this user can be attached. */
  readonly attach: boolean;
  readonly checks: readonly Check[];
}

function notTried(name: string): Check {
  return { name, status: "missing", found: "not tried, because the native addon cannot be loaded" };
}

async function tryBoth(answers: Answers): Promise<[RunTrial, Check]> {
  return Promise.all([tryRun(answers.kcmp === ""), checkAttach()]);
}

async function examineByNativeParts(answers: Answers): Promise<Check[]> {
  const systemCalls = checkSystemCalls(answers);

  return leavingNoCgroup(async () => {
    const cgroup = checkCgroup();
    const [{ run, others }, attach] = await tryBoth(answers);

    return [...systemCalls, cgroup, ...others, orByHolder(run, attach), attach];
  });
}

/** Tries all that `run` and `attach` depend on, and both of them. Leaves the machine as it was. */
export async function examine(): Promise<Examination> {
  const { check: nativeParts, answers } = checkNativeParts();
  const tried = answers ? await examineByNativeParts(answers) : [notTried("run"), notTried("attach")];
  const works = (name: string) => tried.some((check) => check.name === name && check.status !== "missing");

  return {
    run: works("run"),
    attach: works("attach"),
    checks: [
      checkKernel(),
      nativeParts,
      checkPidNamespace(),
      checkYama(),
      checkHugePages(),
      checkTransparentHugePages(),
      checkSwap(),
      ...tried,
    ],
  };
}
