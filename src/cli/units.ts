import { InvalidArgumentError } from "commander";
import type { HugePageRequest } from "../memory/request.js";

const bytesOfUnit: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const millisecondsOf: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** What the timers of Node.js can wait for: 24 days. */
const longestTime = 2 ** 31 - 1;

function bytesIn(word: string): number | undefined {
  const [, number, unit = ""] = /^(\d+|\d+\.\d+(?=[a-z]))([KMGT]?)$/i.exec(word) ?? [];
  const bytes = Math.round(Number(number) * (bytesOfUnit[unit.toUpperCase()] ?? 1));

  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Reads a size, as "64G", for commander; gives bytes. */
export function parseSize(word: string): number {
  const bytes = bytesIn(word);

  if (bytes === undefined)
    throw new InvalidArgumentError("A size is a number above 0 with K, M, G or T behind, or of bytes: 64G.");
  return bytes;
}

/** Reads a time, as "30s", for commander; gives milliseconds. */
export function parseDuration(word: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(word) ?? [];
  const milliseconds = Math.ceil(Number(number) * (millisecondsOf[unit] ?? 1));

  if (number === undefined)
    throw new InvalidArgumentError("A time is a number with ms, s, m or h behind, or of seconds: 30s.");
  if (milliseconds > longestTime) throw new InvalidArgumentError("A time is at most 24 days, 576h.");
  return milliseconds;
}

/** Reads huge pages, as "2M:512" or "1G:4@1", for commander. */
export function parseHugePages(word: string): HugePageRequest {
  const [, pageSize = "", pages, onNode] = /^([^:]*):(\d+)(?:@(\d+))?$/.exec(word) ?? [];
  const [size, count, node] = [bytesIn(pageSize), Number(pages), Number(onNode ?? 0)];

  if (size === undefined || !Number.isSafeInteger(count) || count === 0 || !Number.isSafeInteger(node))
    throw new InvalidArgumentError(
      "Huge pages are their size, how many, and the NUMA node if it matters: 2M:512, 1G:4@1.",
    );
  return onNode === undefined ? { size, count } : { size, count, node };
}
