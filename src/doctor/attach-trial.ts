import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { attach } from "../protect/attach.js";
import { type Check, missing } from "./check.js";
import { endTrial, trialEnvironment } from "./trial.js";

/** Waits for its input until it is killed. */
async function startTarget(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-"], {
    env: trialEnvironment(),
    stdio: ["pipe", "ignore", "ignore"],
  });

  await once(child, "spawn");
  return child;
}

async function holdOne(): Promise<void> {
  const child = await startTarget();

  try {
    const hold = await attach(child.pid as number);
    await hold.detach();
  } finally {
    await endTrial(child, "SIGKILL");
  }
}

/** Really attaches a holder, to a process of our own. */
export async function checkAttach(): Promise<Check> {
  const name = "attach";

  try {
    await holdOne();
    return { name, status: "ok", found: "tried: a process was held, and let go of" };
  } catch (error) {
    return missing(name, error);
  }
}
