/** What helpers and holders tell of themselves: the words of native/record.h and native/holder.c. */
export type ProtectorRecord =
  | { readonly state: "holding" }
  /** It could not hold the target's new image, and tries again. */
  | { readonly state: "waiting" }
  | ReleaseRecord;

export interface ReleaseRecord {
  readonly state: "releasing";
  /** Resident when it looked for the last time. */
  readonly bytes: number;
  /** When that was, and when the target died; milliseconds since the machine's boot. */
  readonly seen: number;
  readonly died: number;
}

/** Reads a record; undefined where it is none. */
export function parseRecord(words: string): ProtectorRecord | undefined {
  const [, state] = /^(holding|waiting) *$/.exec(words) ?? [];
  const [, bytes, seen, died] = /^releasing bytes=(\d+) seen=(\d+) died=(\d+) *$/.exec(words) ?? [];

  if (state === "holding" || state === "waiting") return { state };
  if (bytes === undefined) return undefined;
  return { state: "releasing", bytes: Number(bytes), seen: Number(seen), died: Number(died) };
}
