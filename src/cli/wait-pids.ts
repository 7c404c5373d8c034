import { formatBytes, formatSeconds } from "../format.js";
import type { AddressSpace } from "../teardown/address-space.js";
import { watch } from "../teardown/watch.js";
import { lineOf, shareFreed } from "./address-spaces.js";
import { noteFailure, print } from "./output.js";
import { bar, barWidth, isInteractive, openScreen } from "./style.js";
import { errorOrTimeout, type TimeLimit } from "./time-limit.js";

/** What is known of each PID by now. */
interface Board {
  readonly pid: number;
  step?: AddressSpace;
  /** What there is to say in the end. */
  sentence?: string;
  error?: unknown;
}

function backSentence({ target, initialBytes, elapsedSeconds, protectors }: AddressSpace): string {
  const [liar] = protectors;

  if (liar)
    return `${target}: nothing to wait for: process ${liar.pid}, of another user, says that it has its memory, and gives none back`;
  const what = initialBytes === null ? "its memory is back" : `all ${formatBytes(initialBytes)} are back`;
  const when = elapsedSeconds === null ? "" : `, ${formatSeconds(elapsedSeconds)} after its end`;

  return `${target}: ${what}${when}`;
}

function rowOf({ pid, step, sentence }: Board): string {
  if (sentence !== undefined) return sentence;
  if (step === undefined) return `${pid}: looking for it`;
  const share = shareFreed(step);
  return share === undefined ? lineOf(step) : `${bar(share, barWidth)} ${lineOf(step)}`;
}

/** Follows one to its end, and says in `sentence` or `error` how that came. */
async function follow(board: Board, signal: AbortSignal | undefined, show: () => void): Promise<void> {
  const interval = isInteractive ? 250 : Number.POSITIVE_INFINITY;

  try {
    for await (const step of watch(board.pid, { interval, signal })) {
      if (step.state === "ended")
        board.sentence = board.step
          ? backSentence(step)
          : `${board.pid}: nothing to wait for: there is no such process, and nobody keeps its memory`;
      board.step = step;
      show();
    }
  } catch (error) {
    board.error = error;
  }
}

/** Waits for them all at once, tells of each, and sets the exit code. Gives what there is to say to machines. */
export async function waitForPids(
  pids: readonly number[],
  limit: TimeLimit,
  isJson: boolean,
): Promise<unknown[]> {
  const boards: Board[] = pids.map((pid) => ({ pid }));
  const screen = await openScreen(isJson);

  await Promise.all(
    boards.map((board) => follow(board, limit.signal, () => screen?.(boards.map(rowOf).join("\n")))),
  );
  screen?.clear();
  return boards.map(({ pid, step, sentence, error }) => {
    if (sentence !== undefined && !isJson) print(`${sentence}\n`);
    if (error === undefined) return step;
    const reason = errorOrTimeout(error, limit, step ? lineOf(step) : String(pid));
    return { target: pid, ...step, error: noteFailure(reason, isJson) };
  });
}
