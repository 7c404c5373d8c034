import { spawnSync } from "node:child_process";
import { getSystemErrorName } from "node:util";
import { builtFile, preloadLibrary, probeSystemCalls, type SystemCall } from "../linux/native.js";
import { holderName } from "../linux/start-holder.js";
import { type Check, missing } from "./check.js";

/** Of each system call, the name of its errno, or "" where it works. */
export type Answers = Readonly<Record<SystemCall, string>>;

/** By the addon. */
function askKernel(): Answers {
  const errors = Object.entries(probeSystemCalls()).map(([call, errno]) => [
    call,
    errno === 0 ? "" : getSystemErrorName(-errno),
  ]);
  return Object.fromEntries(errors) as Answers;
}

/** Without arguments, it says so and ends. */
function executeHolder(): void {
  const { error } = spawnSync(builtFile(holderName), { timeout: 5000 });
  if (error) throw error;
}

const name = "native-parts";

function attempt<Result>(act: () => Result): { result: Result } | { failure: Check } {
  try {
    return { result: act() };
  } catch (error) {
    return { failure: missing(name, error) };
  }
}

function checkOf(failure: Check | undefined): Check {
  if (!failure) return { name, status: "ok", found: "launcher, library, holder and addon are there" };
  const advice = "install it anew, where programs may run; in a clone, run 'npm run build'";

  return { ...failure, advice: failure.advice ?? advice };
}

/** Loads and executes what can be by itself; launcher and library are tried by a trial of `run`. */
export function checkNativeParts(): { check: Check; answers: Answers | undefined } {
  const answers = attempt(askKernel);
  const others = [() => builtFile("async-teardown"), () => preloadLibrary(), executeHolder].map(attempt);
  const failed = [answers, ...others].find((each) => "failure" in each);

  return {
    check: checkOf(failed && "failure" in failed ? failed.failure : undefined),
    answers: "result" in answers ? answers.result : undefined,
  };
}
