import { isWhollyExiting, withProcess } from "./living-target.js";
import { eachPid } from "./pids.js";
import { isOver, type ProcessDirectory, statOf } from "./procfs.js";

/** A process that is on its way out, and frees its memory itself. */
export interface ExitingProcess {
  readonly pid: number;
  readonly name: string;
}

function exitingProcessOf(directory: ProcessDirectory): ExitingProcess | undefined {
  const stat = statOf(directory);

  if (!stat || isOver(stat) || !isWhollyExiting(directory, stat)) return undefined;
  return { pid: directory.pid, name: stat.name };
}

/** All processes that exit just now, unprotected or not. */
export async function findExitingProcesses(signal?: AbortSignal): Promise<ExitingProcess[]> {
  const exits: ExitingProcess[] = [];

  for await (const pid of eachPid(signal)) {
    const exit = withProcess(pid, exitingProcessOf);
    if (exit) exits.push(exit);
  }
  return exits;
}
