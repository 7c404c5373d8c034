import { closeSync, writeSync } from "node:fs";
import { AsyncTeardownError } from "../errors.js";
import { type Bytes, toBuffer } from "../linux/bytes.js";

/** What the launcher (native/launcher/launcher.c) is to execute in its own place. */
export interface Plan {
  /** The file to execute. */
  readonly path: Bytes;
  /** Where COMMAND stands in the launcher's own arguments; it and all that follow are handed on. */
  readonly commandIndex: number;
  /** Variables to set; all others stay. */
  readonly variables: Readonly<Record<string, Bytes>>;
}

/** The plan as the launcher reads it: strings that end with a NUL, the last one empty. */
export function encodePlan({ path, commandIndex, variables }: Plan): Buffer {
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);

  return toBuffer([path, String(commandIndex), ...settings, "", ""].join("\0"));
}

/** Who waits for a plan: "descriptor,PID" in ASYNC_TEARDOWN_PLAN. */
export interface Launcher {
  /** What the plan is written to. */
  readonly descriptor: number;
  /** The process that will become the target. */
  readonly pid: number;
}

/**
 * Finds the launcher that waits for a plan.
 * @throws AsyncTeardownError ERR_USAGE where there is none
 */
export function waitingLauncher(): Launcher {
  const [descriptor, pid] = (process.env.ASYNC_TEARDOWN_PLAN ?? "").split(",").map(Number);

  if (!descriptor || !pid)
    throw new AsyncTeardownError("ERR_USAGE", "'run' works through the launcher only", {
      advice: "call async-teardown (bin/async-teardown) rather than its JavaScript",
    });
  return { descriptor, pid };
}

/** Hands the plan over, whole. */
export function deliverPlan({ descriptor }: Launcher, plan: Plan): void {
  writeSync(descriptor, encodePlan(plan));
  closeSync(descriptor);
}

/** Tells the launcher, if there is one, that nothing is to be executed: its exit code is to be ours. */
export function deliverNoPlan(): void {
  if (process.env.ASYNC_TEARDOWN_PLAN !== undefined) writeSync(waitingLauncher().descriptor, "\0\0");
}
