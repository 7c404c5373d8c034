import { spawn } from "node:child_process";
import { once } from "node:events";
import { AsyncTeardownError } from "../errors.js";
import { attach } from "../protect/attach.js";
import type { Check } from "./check.js";
import { trialEnvironment } from "./environment.js";

async function tryToHold(pid: number): Promise<Check> {
  const name = "attach";

  try {
    const hold = await attach(pid);

    await hold.detach();
    return { name, status: "ok", found: "tried: a process was held, and let go of" };
  } catch (error) {
    const { message } = error as Error;
    const advice = error instanceof AsyncTeardownError ? error.advice : undefined;

    return { name, status: "missing", found: message.replace(`process ${pid} `, ""), advice };
  }
}

/** Really attaches a holder: to a process of our own that waits for its input. */
export async function checkAttach(): Promise<Check> {
  const child = spawn(process.execPath, ["-"], {
    env: trialEnvironment(),
    stdio: ["pipe", "ignore", "ignore"],
  });

  try {
    await once(child, "spawn");
  } catch (error) {
    return { name: "attach", status: "missing", found: (error as Error).message };
  }
  const ended = once(child, "exit");

  try {
    return await tryToHold(child.pid as number);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}
