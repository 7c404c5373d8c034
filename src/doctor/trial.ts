import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The environment of a trial's Node.js: ours, but for what would have it do more than that. */
export function trialEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("NODE_")));
}

/** Ends a trial by a signal, and waits for that. One that has ended already stays as it is. */
export async function endTrial(trial: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(trial, "exit");

  if (trial.kill(signal)) await ended;
}
