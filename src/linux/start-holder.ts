import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { isSystemError } from "../errors.js";
import { type HolderReport, parseReport } from "./holder-report.js";
import { builtFile, type Errno } from "./native.js";
import { encodeOwner, type Owner } from "./owner.js";
import type { Priority } from "./priority.js";
import type { ProcessDirectory } from "./procfs.js";

/** The file name of native/holder/holder.c. */
export const holderName = "async-teardown-holder";

/** Room for what the holder records in its own arguments. */
const blankRecord = " ".repeat(96);

/** The longest that arming may take, in milliseconds; a thousandth of it is usual. */
const longestStart = 10_000;

/** A holder whose report nobody reads ends by itself. */
async function readReport(output: Readable): Promise<HolderReport> {
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    output.destroy(new Error("too late"));
  }, longestStart);

  try {
    return parseReport(await text(output));
  } catch (error) {
    if (!isLate) throw error;
    const step = "arm it within ten seconds: is the process, or the holder's cgroup, frozen?";
    return { stage: "in time", errno: 0, step };
  } finally {
    clearTimeout(limit);
  }
}

/**
 * Starts a program.
 * @returns its standard output, or an errno where it cannot be started
 */
async function execute(
  program: string,
  words: readonly string[],
  descriptors: readonly number[],
): Promise<Readable | Errno> {
  try {
    const child = spawn(program, words, {
      argv0: holderName,
      cwd: "/",
      env: {},
      stdio: ["ignore", "pipe", "ignore", ...descriptors],
    });
    if (child.pid === undefined) throw (await once(child, "error"))[0];
    return child.stdout as NonNullable<typeof child.stdout>;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return Math.abs(error.errno);
  }
}

/**
 * Starts a holder for the process, and waits until it is armed, or is not.
 * @param cgroupProcs open cgroup.procs files, which it enters first
 * @param owner for whom the process runs, which the holder shows in its arguments
 * @param sharedObjects paths to shared memory objects of the process, which it keeps as well; eight at most
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT
 */
export async function startHolder(
  { pid, descriptor }: ProcessDirectory,
  priority: Priority,
  cgroupProcs: readonly number[],
  owner: Owner,
  sharedObjects: readonly number[],
): Promise<HolderReport> {
  const [cgroups, objects] = [cgroupProcs.length, sharedObjects.length];
  const words = [pid, priority, cgroups, blankRecord, encodeOwner(owner), objects].map(String);
  const program = builtFile(holderName);
  const output = await execute(program, words, [descriptor, ...sharedObjects, ...cgroupProcs]);

  if (typeof output === "number") return { stage: "execute", errno: output, step: `start ${program}` };
  return readReport(output);
}
