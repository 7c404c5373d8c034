import { formatBytes, formatSeconds } from "../format.js";
import { type MemoryStep, watchMemory } from "../memory/wait.js";
import type { MemoryWish } from "../memory/wish.js";
import { lineOf, shareFreed } from "./address-spaces.js";
import { type Limit, reasonOf } from "./limit.js";
import { type FailureFields, noteFailure, print } from "./output.js";
import { bar, isInteractive } from "./style.js";

const barWidth = 24;

/** What is waited for, and who is giving memory back. */
function linesOf({ lacks, teardowns }: MemoryStep): string[] {
  return [
    ...lacks.map(({ sentence }) => `waiting for ${sentence}`),
    ...teardowns.map((space) => {
      const share = shareFreed(space);
      return `  ${share === undefined || !isInteractive ? "" : `${bar(share, barWidth)} `}${lineOf(space)}`;
    }),
  ];
}

function wishText({ bytes, hugepages = [] }: MemoryWish): string {
  return [
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    ...hugepages.map(
      ({ size, count, node }) =>
        `${count} huge pages of ${formatBytes(size)}${node === undefined ? "" : ` on node ${node}`}`,
    ),
  ].join(" and ");
}

/** What came of it, for machines. */
interface Outcome {
  readonly available: boolean;
  readonly waitedSeconds: number;
  readonly lacks: MemoryStep["lacks"];
  readonly teardowns: MemoryStep["teardowns"];
  readonly error?: FailureFields;
}

/** Waits until the memory can be had, tells of it, and sets the exit code. */
export async function waitForRoom(wish: MemoryWish, limit: Limit, isJson: boolean): Promise<Outcome> {
  const start = performance.now();
  const screen = isInteractive && !isJson ? (await import("log-update")).default : undefined;
  let last: MemoryStep | undefined;
  let failure: unknown;

  try {
    for await (const step of watchMemory(wish, limit.signal)) {
      if (screen) screen(linesOf(step).join("\n"));
      else if (!last && !isJson && step.lacks.length > 0)
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
  const { lacks, teardowns } = last ?? { lacks: [], teardowns: [] };
  const waitedSeconds = (performance.now() - start) / 1000;

  if (failure === undefined) {
    if (!isJson) print(`${wishText(wish)} can be had, after ${formatSeconds(waitedSeconds)}\n`);
    return { available: true, waitedSeconds, lacks, teardowns };
  }
  const standing = lacks.map(({ sentence }) => sentence).join("; ");
  const error = noteFailure(reasonOf(failure, limit, standing), isJson);
  return { available: false, waitedSeconds, lacks, teardowns, error };
}
