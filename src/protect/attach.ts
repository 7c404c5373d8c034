import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AsyncTeardownError, type ErrorCode } from "../errors.js";
import { lockForAttach, unlock } from "../linux/attach-lock.js";
import { closeHolderCgroup, openHolderCgroup } from "../linux/holder-cgroup.js";
import { openTarget } from "../linux/open-target.js";
import { parseOwner } from "../linux/owner.js";
import { cgroupsTextOf, closeProcess, isOver, type ProcessDirectory, statOf } from "../linux/procfs.js";
import { type Findings, findProtectors, holderOf, type Protector } from "../linux/protectors.js";
import { refuseProtector } from "../linux/refuse-protector.js";
import { openSharedObject, type SharedObject } from "../linux/shared-memory.js";
import { startHolder } from "../linux/start-holder.js";
import { endHolder } from "./detach.js";
import { holderError } from "./holder-error.js";
import { checkReleaseOptions, type ReleaseOptions } from "./release-options.js";

export interface AttachOptions extends Pick<ReleaseOptions, "priority"> {
  /**
   * The cgroup that the holder runs in: "same" as the target's, or a path in the cgroup tree. By default it
   * is outside the target's, so that what ends that whole cgroup does not end the holder.
   */
  cgroup?: string | undefined;
}

/** What is known of the process besides. */
interface AttachRequest extends AttachOptions {
  /** The ID of its container, as the runtime has it. */
  readonly container?: string;
  /** Shared memory that its holder keeps as well. */
  readonly sharedObjects?: readonly SharedObject[];
}

/** A process that is held. */
export interface Hold {
  /** The process that is protected. */
  readonly pid: number;
  /** The PID of its holder. */
  readonly holderPid: number;
  /** What is not as it should be, as a sentence: why the holder could not leave this process's cgroup. */
  readonly warning: string | undefined;
  /**
   * Ends the protection; the process itself is not touched. Resolves when the holder is gone. Does nothing
   * where it is gone already.
   * @throws AsyncTeardownError ERR_NOT_PERMITTED
   */
  detach(): Promise<void>;
}

function refuseTarget(code: ErrorCode, pid: number, why: string, advice?: string): never {
  throw new AsyncTeardownError(code, `process ${pid} ${why}`, advice === undefined ? {} : { advice });
}

/** Opens the process, and makes sure that it is one that can be held. */
function openHoldable(pid: number): ProcessDirectory {
  const directory = openTarget(pid);

  if (!directory) return refuseTarget("ERR_NO_PROCESS", pid, "does not exist");
  try {
    const stat = statOf(directory);

    if (!stat) refuseTarget("ERR_NO_PROCESS", pid, "has ended");
    if (pid === 1)
      refuseTarget(
        "ERR_NOT_HOLDABLE",
        pid,
        "is the init of this PID namespace: all that is in it ends with it, a holder too",
        "attach from outside of the container, by the PID that it has there",
      );
    if (stat.state === "Z" && stat.threads > 1)
      refuseTarget(
        "ERR_NOT_HOLDABLE",
        pid,
        "cannot be held, because its main thread has ended and only others go on",
      );
    if (isOver(stat)) refuseTarget("ERR_NO_PROCESS", pid, "has ended, and waits for its parent");
    return directory;
  } catch (error) {
    closeProcess(directory);
    throw error;
  }
}

async function hold(
  directory: ProcessDirectory,
  { priority, cgroup, container, sharedObjects = [] }: AttachRequest,
): Promise<Hold> {
  const cgroups = cgroupsTextOf(directory);
  const holderCgroup = openHolderCgroup(cgroup, cgroups);
  const owner = parseOwner(cgroups);
  const named = { ...owner, container: container ?? owner.container };
  const paths = sharedObjects.map((object) => openSharedObject(directory, object));
  const opened = paths.filter((path) => path !== undefined);

  try {
    const { descriptors, warning } = holderCgroup;
    const report = await startHolder(directory, priority ?? "normal", descriptors, named, opened);

    if (!("holderPid" in report)) throw holderError(directory.pid, report);
    const { pid } = directory;
    const { holderPid } = report;
    return { pid, holderPid, warning, detach: () => endHolder(pid, holderPid) };
  } finally {
    closeHolderCgroup(holderCgroup);
    for (const path of opened) closeSync(path);
  }
}

function refuseProtected(protector: Protector | undefined, pid: number): void {
  if (protector)
    refuseTarget(
      "ERR_ALREADY_PROTECTED",
      pid,
      `is protected already, by ${protector.mechanism} ${protector.pid}`,
    );
}

/** Milliseconds between two looks for the lock, and the longest that an attach by somebody else may take. */
const [step, longestAttach] = [5, 15_000];

/** Of those that attach a process at the same time, one makes a holder. */
async function holdAlone(directory: ProcessDirectory, options: AttachRequest): Promise<Hold> {
  const { pid } = directory;
  const end = performance.now() + longestAttach;
  let lock = lockForAttach(directory);

  while (lock === undefined) {
    if (performance.now() > end)
      refuseTarget(
        "ERR_HOLDER",
        pid,
        "cannot be held: somebody else has been attaching it for fifteen seconds",
      );
    await sleep(step);
    lock = lockForAttach(directory);
  }
  try {
    refuseProtected(holderOf(pid), pid);
    return await hold(directory, options);
  } finally {
    unlock(lock);
  }
}

/** As {@link attach}, by somebody who knows already who protects whom. */
export async function attachUnlessIn(
  { protectors }: Findings,
  pid: number,
  options: AttachRequest,
): Promise<Hold> {
  checkReleaseOptions(options);
  const directory = openHoldable(pid);

  try {
    refuseProtector(protectors, pid);
    refuseProtected(
      protectors.find((each) => each.target === pid && !each.isTargetGone),
      pid,
    );
    return await holdAlone(directory, options);
  } finally {
    closeProcess(directory);
  }
}

/**
 * Protects a process that runs already: a holder keeps its address space alive from outside, so that whoever
 * waits for the process hears of its end at once, and gives the memory back afterwards. The process is not
 * stopped, traced or written to. Resolves when the holder is armed; it outlives this process.
 *
 * @throws AsyncTeardownError ERR_NO_PROCESS, ERR_NOT_HOLDABLE, ERR_NOT_PERMITTED, ERR_ALREADY_PROTECTED,
 *   ERR_KERNEL, ERR_CGROUP, ERR_HOLDER, ERR_USAGE; ERR_NO_PROC, ERR_PLATFORM, ERR_NOT_BUILT
 */
export async function attach(pid: number, options: AttachOptions = {}): Promise<Hold> {
  return attachUnlessIn(await findProtectors(), pid, options);
}
