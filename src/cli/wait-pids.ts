import { AsyncTeardownError } from "../errors.js";
import { formatBytes, formatSeconds } from "../format.js";
import type { AddressSpace } from "../teardown/address-space.js";
import { watch } from "../teardown/watch.js";
import { lineOf, shareFreed } from "./address-spaces.js";
import { complain, print, reportFailure } from "./output.js";
import { bar, isInteractive } from "./style.js";

/** What is known of each PID by now. */
interface Board {
  readonly pid: number;
  step?: AddressSpace;
  /** What there is to say in the end. */
  sentence?: string;
  error?: unknown;
}

function backSentence({ target, initialBytes, elapsedSeconds }: AddressSpace): string {
  const what = initialBytes === null ? "its memory is back" : `all ${formatBytes(initialBytes)} are back`;
  const when = elapsedSeconds === null ? "" : `, ${formatSeconds(elapsedSeconds)} after its end`;

  return `${target}: ${what}${when}`;
}

const barWidth = 24;

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

/** Says what is not as it was wished, in one line each, and gives the exit code. */
function complainOf({ error, step, pid }: Board, signal: AbortSignal | undefined, limit: number): number {
  if (!signal?.aborted || error !== signal.reason) return reportFailure(error);
  complain(`not gone after ${formatSeconds(limit / 1000)}: ${step ? lineOf(step) : pid}`);
  return 124;
}

function fieldsOf({ pid, step, error }: Board): unknown {
  if (!(error instanceof AsyncTeardownError)) return { ...step, target: pid };
  const { code, message, advice } = error;
  return { target: pid, error: { code, message, advice } };
}

/** Milliseconds, or 0: without a limit, as with timeout(1). */
export async function waitForPids(pids: readonly number[], limit: number, isJson: boolean): Promise<void> {
  const signal = limit > 0 ? AbortSignal.timeout(limit) : undefined;
  const boards: Board[] = pids.map((pid) => ({ pid }));
  const screen = isInteractive && !isJson ? (await import("log-update")).default : undefined;

  await Promise.all(
    boards.map((board) => follow(board, signal, () => screen?.(boards.map(rowOf).join("\n")))),
  );
  screen?.clear();
  for (const board of boards) {
    if (board.sentence !== undefined && !isJson) print(`${board.sentence}\n`);
    if (board.error === undefined) continue;
    const code = complainOf(board, signal, limit);
    process.exitCode = Math.max(code, Number(process.exitCode ?? 0));
  }
  if (isJson) print(`${JSON.stringify(boards.map(fieldsOf), null, 2)}\n`);
}
