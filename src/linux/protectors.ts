import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { looksLikeHelper, mayInspect, mechanismOf, releaseRecordOf } from "./helper.js";
import { holderName } from "./holder.js";
import { countsElsewhere, findInnerPids, type InnerPids, outerPid } from "./inner-pids.js";
import { type LivingTarget, livingTarget, look, ownerOf, sharesWith } from "./living.js";
import { decodeOwner, type Owner } from "./owner.js";
import { allPids, eachPid } from "./pids.js";
import { argumentsOf, isOver, type ProcessDirectory, type Stat, statOf, statusTextOf } from "./procfs.js";
import { type ProtectorRecord, parseRecord, type ReleaseRecord } from "./record.js";

/** What protects a process: our helper, our holder, or the helper of QEMU's own -async-teardown. */
export type Mechanism = "helper" | "holder" | "qemu";

/** A process that protects another one. */
export interface Protector {
  readonly pid: number;
  /** Its PID. If it is dead, and was in a PID namespace below, as in a container: the one that it had there. */
  readonly target: number;
  readonly isTargetElsewhere: boolean;
  readonly mechanism: Mechanism;
  /** Whether the target is dead; its PID may be another process's by now. */
  readonly isTargetGone: boolean;
  /** Whether it is at work: the target is dead, and it gives the memory back. */
  readonly isReleasing: boolean;
  /** For whom a holder says that its target ran. */
  readonly owner?: Owner;
  /** What it says of itself. */
  readonly record?: ProtectorRecord | undefined;
}

export interface Findings {
  readonly protectors: readonly Protector[];
  /** Those that look like protectors, and whose address space this user may not look at. */
  readonly hidden: readonly Protector[];
}

export const nothingFound: Findings = { protectors: [], hidden: [] };

export function holdersOf({ protectors }: Findings, pid: number): Protector[] {
  return protectors.filter(({ target, mechanism }) => target === pid && mechanism === "holder");
}

/** Helpers and holders bear the name cleanup/<pid of the target>. But anyone may. */
function claimedTarget(pid: number): number | undefined {
  try {
    const [, target] = /^cleanup\/(\d+)\n$/.exec(readFileSync(`/proc/${pid}/comm`, "utf8")) ?? [];
    return target === undefined ? undefined : Number(target);
  } catch {
    return undefined; // it ended while we looked
  }
}

/** Nobody can claim this who is not root, us, or the target's user. */
function isTrusted(directory: ProcessDirectory, target: LivingTarget | undefined): boolean {
  const owner = ownerOf(directory);
  return owner !== undefined && ["0", String(process.getuid?.()), target?.owner].includes(owner);
}

/** A target by its PID, and by the one that its protector knows it by. */
interface Target {
  readonly pid: number;
  readonly claimed: number;
  readonly isElsewhere: boolean;
  readonly living: LivingTarget | undefined;
}

function asHolderOf(directory: ProcessDirectory, target: Target): Protector | undefined {
  const [program = "", held, , , words = "", owner = ""] = argumentsOf(directory);
  const record = parseRecord(words);
  const { living } = target;

  if (basename(program) !== holderName || held !== String(target.claimed) || !record) return undefined;
  if (!isTrusted(directory, living)) return undefined;
  return {
    pid: directory.pid,
    target: target.pid,
    isTargetElsewhere: target.isElsewhere,
    mechanism: "holder",
    isTargetGone: record.state === "releasing" || living === undefined,
    isReleasing: record.state === "releasing",
    owner: decodeOwner(owner),
    record,
  };
}

/** Whether, and in what state, this process is a holder of the target. */
export function asHolder(directory: ProcessDirectory, target: number): Protector | undefined {
  return asHolderOf(directory, targetOf(directory, target));
}

const [EPERM, ENOSYS] = [1, 38];

type Sight = { readonly protector: Protector; readonly isHidden: boolean };

/** Its target is dead. A helper that has not begun, as QEMU's for up to a second, sleeps or is stopped. */
function orphaned(
  helper: Protector,
  { isExiting, state }: Stat,
  record: ReleaseRecord | undefined,
): Protector {
  const isReleasing = isExiting || record !== undefined || state === "R" || state === "D";
  return { ...helper, isTargetGone: true, isReleasing, record };
}

/**
 * A helper of a living target shares its address space. One whose target is dead cannot be compared with
 * anything any more: it is known by what helpers have done to themselves. If the target's PID is another
 * process's by now, the helper is the older one, as it was there when the target lived.
 */
function asHelper(directory: ProcessDirectory, target: Target): Sight | undefined {
  const { living } = target;
  const stat = statOf(directory);
  const status = statusTextOf(directory);

  if (!stat || isOver(stat)) return undefined;
  const helper: Protector = {
    pid: directory.pid,
    target: target.pid,
    isTargetElsewhere: target.isElsewhere,
    mechanism: mechanismOf(status),
    isTargetGone: false,
    isReleasing: false,
  };
  const answer = living ? sharesWith(directory.pid, living) : false;

  if (answer === true) return { protector: helper, isHidden: false };
  if (!looksLikeHelper(stat, status)) return undefined;
  if (answer === EPERM || answer === ENOSYS) return { protector: helper, isHidden: answer === EPERM };
  if (living && living.stat.startTime <= stat.startTime) return undefined;
  return {
    protector: orphaned(helper, stat, releaseRecordOf(directory)),
    isHidden: !mayInspect(directory),
  };
}

/** In a container, a protector calls its target by the PID that it has there. */
function targetOf(directory: ProcessDirectory, claimed: number, innerPids?: () => InnerPids): Target {
  if (!countsElsewhere(directory))
    return { pid: claimed, claimed, isElsewhere: false, living: livingTarget(claimed) };
  const pid = innerPids && outerPid(directory, claimed, innerPids());
  const living = pid === undefined ? undefined : livingTarget(pid);

  return living && pid !== undefined
    ? { pid, claimed, isElsewhere: false, living }
    : { pid: claimed, claimed, isElsewhere: true, living: undefined };
}

/** What a process protects, if it does. */
function sightOf(pid: number, innerPids?: () => InnerPids): Sight | undefined {
  const claimed = claimedTarget(pid);

  if (claimed === undefined) return undefined;
  return look(pid, (directory) => {
    const target = targetOf(directory, claimed, innerPids);
    const holder = asHolderOf(directory, target);
    return holder ? { protector: holder, isHidden: false } : asHelper(directory, target);
  });
}

/** A protector whose target is dead, as it is now; undefined where it is none any more. */
export function lookAgain({ pid, target }: Protector): Protector | undefined {
  const protector = sightOf(pid)?.protector;
  if (!protector || (protector.target !== target && !protector.isTargetElsewhere)) return undefined;
  return { ...protector, target };
}

/** The processes that bear the name of this one's helper or holder, whatever they are. */
export function claimantsOf(target: number): number[] {
  return allPids().filter((pid) => claimedTarget(pid) === target);
}

/** All processes that protect another one, found by looking at the system. */
export async function findProtectors(signal?: AbortSignal): Promise<Findings> {
  const sights: Sight[] = [];
  let found: InnerPids | undefined;
  const innerPids = () => {
    found ??= findInnerPids(); // only where there are containers with protectors
    return found;
  };

  for await (const pid of eachPid(signal)) {
    const sight = sightOf(pid, innerPids);
    if (sight) sights.push(sight);
  }
  const of = (hidden: boolean) =>
    sights.filter(({ isHidden }) => isHidden === hidden).map(({ protector }) => protector);
  return { protectors: of(false), hidden: of(true) };
}
