import type { Priority } from "./priority.js";

/** What helpers and holders tell of themselves: the words of native/common/record.h and native/holder/holder.c. */
export type ProtectorRecord =
  | { readonly state: "holding" }
  /** It could not hold the target's new image, and tries again. */
  | { readonly state: "waiting" }
  | ReleaseRecord;

export interface ReleaseRecord {
  readonly state: "releasing";
  /** Resident when it looked for the last time. */
  readonly bytes: number;
  /** When the target died; milliseconds since the start of who writes it. */
  readonly died: number;
  /** A helper tells how many threads are at it, and what it was asked for; a holder does not. */
  readonly workers?: number;
  /** Bytes a second, at most. */
  readonly rate?: number;
  readonly priority?: Priority;
}

const release =
  /^releasing bytes=(\d+) seen=\d+ died=(\d+)(?: rate=(\d+))?(?: priority=(low|idle))?(?: workers=(\d+))? *$/;

function parseRelease(words: string): ReleaseRecord | undefined {
  const [, bytes, died, rate, priority = "normal", workers] = release.exec(words) ?? [];

  if (bytes === undefined) return undefined;
  return {
    state: "releasing",
    bytes: Number(bytes),
    died: Number(died),
    ...(workers !== undefined && { workers: Number(workers), priority: priority as Priority }),
    ...(rate !== undefined && { rate: Number(rate) }),
  };
}

/** Reads a record; undefined where it is none. */
export function parseRecord(words: string): ProtectorRecord | undefined {
  const [, state] = /^(holding|waiting) *$/.exec(words) ?? [];

  return state === "holding" || state === "waiting" ? { state } : parseRelease(words);
}
