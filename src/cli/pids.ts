import { InvalidArgumentError } from "commander";
import { noteFailure, print } from "./output.js";

const largestPid = 4_194_304; // PID_MAX_LIMIT; proc_sys_kernel(5)

/** Reads PID arguments one by one, for commander; one that is given twice counts once. */
export function collectPid(word: string, pids: readonly number[] = []): number[] {
  const pid = /^\d+$/.test(word) ? Number(word) : 0;

  if (pid < 1 || pid > largestPid)
    throw new InvalidArgumentError(`A PID is a number from 1 to ${largestPid}.`);
  return [...new Set([...pids, pid])];
}

/** What came of one PID: what to say, and the same for machines. */
export interface PidOutcome {
  readonly sentence: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Does something to each PID, whatever comes of the others, and tells of each: what worked on standard
 * output, what did not on standard error, or all of it as one JSON array. The exit code is 0 only if all
 * worked.
 */
export async function forEachPid(
  pids: readonly number[],
  json: boolean,
  act: (pid: number) => Promise<PidOutcome>,
): Promise<void> {
  const results: unknown[] = [];

  for (const pid of pids) {
    try {
      const { sentence, fields } = await act(pid);

      results.push({ pid, ...fields });
      if (!json) print(`${sentence}\n`);
    } catch (error) {
      results.push({ pid, error: noteFailure(error, json) });
    }
  }
  if (json) print(`${JSON.stringify(results, null, 2)}\n`);
}
