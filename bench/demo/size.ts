import { InvalidArgumentError } from "commander";
import { parseSize } from "#dist/cli/units.js";
import { formatBytes } from "#dist/format.js";
import { GiB, MiB } from "../units.js";
import { DemoError } from "./error.js";
import { systemMemory } from "./probes.js";

const smallest = 16 * MiB;
const largestUnasked = 8 * GiB;
const shareUnasked = 1 / 3;
/** Any closer to the limit, and the machine would swap, or kill a process. */
const largestShare = 0.9;

/** Reads the size to hold, in bytes; whole MiB, which is what QEMU takes. */
export function parseHeldSize(text: string): number {
  const bytes = parseSize(text);

  if (bytes < smallest) throw new InvalidArgumentError("Less than 16M would show nothing.");
  return Math.floor(bytes / MiB) * MiB;
}

/** The size asked for, or a third of the memory that is available to this process. */
export async function sizeToHold(asked: number | undefined): Promise<number> {
  // 0 or more than there is where no control group sets a limit.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const available = Math.min((await systemMemory()).available, limit);
  const size = asked ?? Math.floor(Math.min(available * shareUnasked, largestUnasked) / MiB) * MiB;

  if (size > available * largestShare)
    throw new DemoError(
      `${formatBytes(size)} is too much: ${formatBytes(available)} of memory is available, and the demo takes at most 90 % of that`,
    );
  if (size < smallest)
    throw new DemoError(`only ${formatBytes(available)} of memory is available, too little to show anything`);
  return size;
}
