import { look } from "./living.js";
import { eachPid } from "./pids.js";
import { isOver, statOf } from "./procfs.js";

/** A process that is on its way out, and frees its memory itself. */
export interface Exit {
  readonly pid: number;
  readonly name: string;
}

/** All processes that exit just now, unprotected or not. */
export async function findExits(signal?: AbortSignal): Promise<Exit[]> {
  const exits: Exit[] = [];

  for await (const pid of eachPid(signal)) {
    const stat = look(pid, statOf);
    if (stat?.isExiting && !isOver(stat)) exits.push({ pid, name: stat.name });
  }
  return exits;
}
