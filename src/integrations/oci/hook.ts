import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { findProtectors } from "../../linux/protectors.js";
import { attachUnlessIn, type Hold } from "../../protect/attach.js";
import { type ContainerState, parseMemoryLimit, parseState } from "./state.js";

/** A state has a few hundred bytes, a config.json some ten thousand. */
const mostBytes = 4 * 2 ** 20;

/** A descriptor's text to its end; what is longer is not what it should be. */
function readAll(descriptor: number): string {
  const chunks: Buffer[] = [];

  for (let length = 0; length <= mostBytes; ) {
    const chunk = Buffer.alloc(64 * 1024);
    const count = readSync(descriptor, chunk);

    if (count === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  return "";
}

export function readState(descriptor = 0): ContainerState {
  return parseState(readAll(descriptor));
}

/** The memory limit of the container; undefined where it has none, or its config.json cannot be read. */
function memoryLimitOf({ bundle }: ContainerState): number | undefined {
  if (bundle === undefined) return undefined;
  try {
    const { O_RDONLY, O_NONBLOCK } = constants; // not to wait for a pipe
    const descriptor = openSync(join(bundle, "config.json"), O_RDONLY | O_NONBLOCK);

    try {
      return fstatSync(descriptor).isFile() ? parseMemoryLimit(readAll(descriptor)) : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/** Whether a container may hold so much: right after its start, its limit is all that tells. */
export function mayHold(state: ContainerState, bytes: number): boolean {
  return (memoryLimitOf(state) ?? Number.POSITIVE_INFINITY) >= bytes;
}

/** Holds the init of a container. @throws as attach */
export async function holdContainer({ id, pid }: ContainerState): Promise<Hold> {
  return attachUnlessIn(await findProtectors(), pid, { container: id });
}
