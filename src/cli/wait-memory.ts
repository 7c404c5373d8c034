import { formatBytes, formatSeconds } from "../format.js";
import type { MemoryRequest } from "../memory/request.js";
import { type MemoryStep, watchMemory } from "../memory/wait.js";
import { lineOf, shareFreed } from "./address-spaces.js";
import { type FailureFields, noteFailure, print } from "./output.js";
import { bar, barWidth, isInteractive, openScreen } from "./style.js";
import { errorOrTimeout, type TimeLimit } from "./time-limit.js";

/** What is waited for, and who is giving memory back. */
function linesOf({ shortages, teardowns }: MemoryStep): string[] {
  return [
    ...shortages.map(({ sentence }) => `waiting for ${sentence}`),
    ...teardowns.map((space) => {
      const share = shareFreed(space);
      return `  ${share === undefined || !isInteractive ? "" : `${bar(share, barWidth)} `}${lineOf(space)}`;
    }),
  ];
}

function requestText({ bytes, hugePages = [] }: MemoryRequest): string {
  return [
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    ...hugePages.map(
      ({ size, count, node }) =>
        `${count} huge pages of ${formatBytes(size)}${node === undefined ? "" : ` on node ${node}`}`,
    ),
  ].join(" and ");
}

/** What came of it, for machines. */
interface MemoryOutcome {
  readonly available: boolean;
  readonly waitedSeconds: number;
  readonly shortages: MemoryStep["shortages"];
  readonly teardowns: MemoryStep["teardowns"];
  readonly error?: FailureFields;
}

/** Waits until the memory can be had, tells of it, and sets the exit code. */
export async function reportMemoryWait(
  request: MemoryRequest,
  limit: TimeLimit,
  isJson: boolean,
): Promise<MemoryOutcome> {
  const start = performance.now();
  const screen = await openScreen(isJson);
  let last: MemoryStep | undefined;
  let failure: unknown;

  try {
    for await (const step of watchMemory(request, limit.signal)) {
      if (screen) screen(linesOf(step).join("\n"));
      else if (!last && !isJson && step.shortages.length > 0)
        print(
          linesOf(step)
            .map((line) => `${line}\n`)
            .join(""),
        );
      last = step;
    }
  } catch (error) {
    failure = error;
  }
  screen?.clear();
  const { shortages, teardowns } = last ?? { shortages: [], teardowns: [] };
  const waitedSeconds = (performance.now() - start) / 1000;

  if (failure === undefined) {
    if (!isJson) print(`${requestText(request)} can be had, after ${formatSeconds(waitedSeconds)}\n`);
    return { available: true, waitedSeconds, shortages, teardowns };
  }
  const standing = shortages.map(({ sentence }) => sentence).join("; ");
  const error = noteFailure(errorOrTimeout(failure, limit, standing), isJson);
  return { available: false, waitedSeconds, shortages, teardowns, error };
}
