import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { builtFile } from "./native.js";
import { encodeOwner, type Owner } from "./owner.js";
import type { Priority } from "./priority.js";
import type { ProcessDirectory } from "./procfs.js";

/** The file name of native/holder/holder.c. */
export const holderName = "async-teardown-holder";

/** Room for what the holder records in its own arguments. */
const blankRecord = " ".repeat(96);

/** What a holder says of its start: its PID when it is armed, else what could not be done. */
export type HolderReport = { readonly holderPid: number } | { readonly errno: number; readonly step: string };

/** Reads "armed <pid>" or "failed <errno> <step>"; native/holder/holder.c. */
export function parseReport(line: string): HolderReport {
  const [, holderPid] = /^armed (\d+)\n$/.exec(line) ?? [];
  const [, errno, step] = /^failed (\d+) (.+)\n$/.exec(line) ?? [];

  if (holderPid !== undefined) return { holderPid: Number(holderPid) };
  if (errno !== undefined && step !== undefined) return { errno: Number(errno), step };
  return { errno: 0, step: "hear of it: it was killed" };
}

/** The longest that arming may take, in milliseconds; a thousandth of it is usual. */
const longestStart = 10_000;

/** A holder whose report nobody reads ends by itself. */
async function readReport(output: Readable): Promise<HolderReport> {
  const limit = setTimeout(() => output.destroy(new Error("too late")), longestStart);

  try {
    return parseReport(await text(output));
  } catch {
    return { errno: 0, step: "arm it within ten seconds: is the process, or the holder's cgroup, frozen?" };
  } finally {
    clearTimeout(limit);
  }
}

/**
 * Starts a holder for the process, and waits until it is armed, or is not.
 * @param cgroupProcs open cgroup.procs files, which it enters first
 * @param owner for whom the process runs, which the holder shows in its arguments
 * @throws AsyncTeardownError ERR_PLATFORM, ERR_NOT_BUILT
 */
export async function startHolder(
  { pid, descriptor }: ProcessDirectory,
  priority: Priority,
  cgroupProcs: readonly number[],
  owner: Owner,
): Promise<HolderReport> {
  const words = [String(pid), priority, String(cgroupProcs.length), blankRecord, encodeOwner(owner)];
  const program = builtFile(holderName);

  try {
    const child = spawn(program, words, {
      argv0: holderName,
      cwd: "/",
      env: {},
      stdio: ["ignore", "pipe", "ignore", descriptor, ...cgroupProcs],
    });
    if (child.pid === undefined) throw (await once(child, "error"))[0];
    return await readReport(child.stdout as NonNullable<typeof child.stdout>);
  } catch (error) {
    return { errno: Math.abs((error as NodeJS.ErrnoException).errno ?? 0), step: `start ${program}` };
  }
}
