import { InvalidArgumentError } from "commander";
import { GiB, MiB } from "../units.js";
import { DemoError } from "./error.js";
import { bytesText } from "./format.js";
import { systemMemory } from "./probes.js";

const smallest = 16 * MiB;
const largestUnasked = 8 * GiB;
const shareUnasked = 1 / 3;
/** Any closer to the limit, and the machine would swap, or kill a process. */
const largestShare = 0.9;

/** The size in bytes, in whole MiB, which is what QEMU takes. */
export function parseSize(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([KMGT])$/i.exec(text) ?? [];

  if (amount === undefined || unit === undefined)
    throw new InvalidArgumentError("A size is a number and K, M, G or T, as in 2G.");
  const bytes = Number(amount) * 1024 ** ("KMGT".indexOf(unit.toUpperCase()) + 1);

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
      `${bytesText(size)} is too much: ${bytesText(available)} of memory is available, and the demo takes at most 90 % of that`,
    );
  if (size < smallest)
    throw new DemoError(`only ${bytesText(available)} of memory is available, too little to show anything`);
  return size;
}
