import { spawnSync } from "node:child_process";
import { getSystemErrorName } from "node:util";
import { AsyncTeardownError } from "../errors.js";
import { holderName } from "../linux/holder.js";
import { builtFile, preloadLibrary, probeSystemCalls, type SystemCall } from "../linux/native.js";
import type { Check } from "./check.js";

/** Of each system call, the name of its errno, or "" where it works. */
export type Answers = Readonly<Record<SystemCall, string>>;

/** The holder without arguments says so, and ends. */
function executeHolder(): void {
  const { error } = spawnSync(builtFile(holderName), { timeout: 5000 });
  if (error) throw error;
}

function askKernel(): Answers {
  const errors = Object.entries(probeSystemCalls()).map(([call, errno]) => [
    call,
    errno === 0 ? "" : getSystemErrorName(-errno),
  ]);
  return Object.fromEntries(errors) as Answers;
}

/** Loads and executes what can be by itself: launcher and library are tried by the trial of `run`. */
export function checkNativeParts(): { check: Check; answers: Answers | undefined } {
  const name = "native-parts";

  try {
    builtFile("async-teardown");
    preloadLibrary();
    executeHolder();
    const answers = askKernel();

    return { check: { name, status: "ok", found: "launcher, library, holder and addon are there" }, answers };
  } catch (error) {
    const { message } = error as Error;
    const advice =
      error instanceof AsyncTeardownError
        ? error.advice
        : "run 'npm rebuild async-teardown', and install it where programs may run";

    return {
      check: { name, status: "missing", found: message.split("\n", 1)[0] ?? "", advice },
      answers: undefined,
    };
  }
}
