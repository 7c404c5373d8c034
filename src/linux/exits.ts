import { isWhollyExiting, look } from "./living.js";
import { eachPid } from "./pids.js";
import { isOver, type ProcessDirectory, statOf } from "./procfs.js";

/** A process that is on its way out, and frees its memory itself. */
export interface Exit {
  readonly pid: number;
  readonly name: string;
}

function exitOf(directory: ProcessDirectory): Exit | undefined {
  const stat = statOf(directory);

  if (!stat || isOver(stat) || !isWhollyExiting(directory, stat)) return undefined;
  return { pid: directory.pid, name: stat.name };
}

/** All processes that exit just now, unprotected or not. */
export async function findExits(signal?: AbortSignal): Promise<Exit[]> {
  const exits: Exit[] = [];

  for await (const pid of eachPid(signal)) {
    const exit = look(pid, exitOf);
    if (exit) exits.push(exit);
  }
  return exits;
}
