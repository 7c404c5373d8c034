import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { argumentsOf } from "./command-line.js";
import { countsElsewhere, findInnerPids, type InnerPids, outerPid } from "./inner-pids.js";
import { type LivingTarget, livingTarget, sharesWith, withProcess } from "./living-target.js";
import { decodeOwner, type Owner } from "./owner.js";
import { allPids, eachPid } from "./pids.js";
import { type Priority, priorities } from "./priority.js";
import {
  isOver,
  millisecondsPerTick,
  type ProcessDirectory,
  type Stat,
  statOf,
  statusTextOf,
  userOf,
} from "./procfs.js";
import { type ProtectorRecord, parseRecord } from "./protector-record.js";
import { looksLikeProtector, mayInspect, mechanismOf, releaseRecordOf } from "./recognise-helper.js";
import { holderName } from "./start-holder.js";

/** What protects a process: our helper, our holder, or the helper of QEMU's own -async-teardown. */
export type Mechanism = "helper" | "holder" | "qemu";

/** A process that protects another one. */
export interface Protector {
  readonly pid: number;
  /** The user that it belongs to; undefined where there are several. */
  readonly user: string | undefined;
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
  /** When it started, in milliseconds since the machine's boot. */
  readonly started: number;
  /** How gently a holder gives the memory back; a helper tells when it is at it. */
  readonly priority?: Priority | undefined;
  /** What it says of itself. */
  readonly record?: ProtectorRecord | undefined;
}

export interface Findings {
  readonly protectors: readonly Protector[];
  /**
   * Those that look like protectors, and are not believed: the target is dead, and they are of another user, who may
   * say what he likes; or this user may not look into them.
   */
  readonly hidden: readonly Protector[];
}

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

/** Whether what a process of this user says of a target of that user is true: only root and these two could write it. */
function isBelieved(user: string | undefined, ofTarget: string | undefined): boolean {
  return user !== undefined && ["0", String(process.getuid?.()), ofTarget].includes(user);
}

/** A process that looks like a protector, and the target that it names, by its PID and by the one that it is named by. */
interface Candidate {
  readonly directory: ProcessDirectory;
  readonly stat: Stat;
  readonly status: string;
  readonly user: string | undefined;
  readonly target: number;
  readonly claimed: number;
  readonly isElsewhere: boolean;
  readonly living: LivingTarget | undefined;
  /** The user that a dead target had when it lived, where somebody saw that. */
  readonly lastUser: string | undefined;
}

function protectorOf(candidate: Candidate, what: Partial<Protector>): Protector {
  const { directory, user, target, isElsewhere, stat, status } = candidate;

  return {
    pid: directory.pid,
    user,
    target,
    isTargetElsewhere: isElsewhere,
    mechanism: mechanismOf(status),
    isTargetGone: false,
    isReleasing: false,
    started: stat.startTime * millisecondsPerTick,
    ...what,
  };
}

/** Only of somebody who is believed: what it says is in its arguments, where anyone may write what he likes. */
function asHolder(candidate: Candidate): Protector | undefined {
  const { directory, user, claimed, living, lastUser } = candidate;

  if (!isBelieved(user, living?.user) && !isBelieved(user, lastUser)) return undefined;
  const [program = "", held, priority, , words = "", owner = ""] = argumentsOf(directory);
  const record = parseRecord(words);

  if (basename(program) !== holderName || held !== String(claimed) || !record) return undefined;
  const isReleasing = record.state === "releasing";

  // What it releases was not the memory of whoever has the target's PID now.
  if (isReleasing && !isBelieved(user, lastUser)) return undefined;
  return protectorOf(candidate, {
    mechanism: "holder",
    isTargetGone: isReleasing || living === undefined,
    isReleasing,
    owner: decodeOwner(owner),
    priority: priorities.find((each) => each === priority),
    record,
  });
}

const [EPERM, ENOSYS] = [1, 38];

type Judgement = { readonly protector: Protector; readonly isHidden: boolean };

/** Its target is dead. A helper that has not begun, as QEMU's for up to a second, sleeps or is stopped. */
function orphaned(candidate: Candidate): Judgement | undefined {
  const { directory, user, lastUser } = candidate;
  const isTrue = isBelieved(user, lastUser);
  const record = isTrue ? releaseRecordOf(directory) : undefined;
  const stat = statOf(directory); // again, because a record is gone when its helper ends

  if (!stat || isOver(stat)) return undefined;
  const isAtWork = stat.isExiting || stat.state === "R" || stat.state === "D";

  return {
    protector: protectorOf(candidate, {
      isTargetGone: true,
      isReleasing: isAtWork || record !== undefined,
      record,
    }),
    isHidden: !isTrue || !mayInspect(directory),
  };
}

/**
 * A helper of a living target shares its address space, which the kernel tells. One whose target is dead cannot be
 * compared with anything any more: it is known by what helpers have done to themselves, and by its user. If the
 * target's PID is another process's by now, the helper is the older one, because it was there when the target lived.
 */
function asHelper(candidate: Candidate): Judgement | undefined {
  const { directory, stat, user, target, living } = candidate;

  if (!living) return orphaned(candidate);
  const answer = sharesWith(directory.pid, user, living);
  const isYounger = living.stat.startTime <= stat.startTime;

  if (answer === true) return { protector: protectorOf(candidate, {}), isHidden: false };
  // Its target may have died before the kernel was asked.
  if (isYounger && livingTarget(target)?.stat.startTime !== living.stat.startTime)
    return orphaned({ ...candidate, lastUser: living.user });
  if (answer === undefined || answer === EPERM || answer === ENOSYS) {
    const isTrue = answer === ENOSYS && isBelieved(user, living.user);
    return { protector: protectorOf(candidate, {}), isHidden: !isTrue };
  }
  return isYounger ? undefined : orphaned(candidate);
}

/** What is known from elsewhere of those that are looked at. */
interface LookupContext {
  readonly innerPids?: () => InnerPids;
  readonly lastUser?: string | undefined;
}

/** In a container, a protector calls its target by the PID that it has there. */
function targetOf(
  directory: ProcessDirectory,
  claimed: number,
  { innerPids }: LookupContext,
): Pick<Candidate, "target" | "claimed" | "isElsewhere" | "living"> {
  if (!countsElsewhere(directory))
    return { target: claimed, claimed, isElsewhere: false, living: livingTarget(claimed) };
  const pid = innerPids && outerPid(directory, claimed, innerPids());
  const living = pid === undefined ? undefined : livingTarget(pid);

  return living && pid !== undefined
    ? { target: pid, claimed, isElsewhere: false, living }
    : { target: claimed, claimed, isElsewhere: true, living: undefined };
}

/** What a process protects, if it does. */
function judge(pid: number, context: LookupContext): Judgement | undefined {
  const claimed = claimedTarget(pid);

  if (claimed === undefined) return undefined;
  return withProcess(pid, (directory) => {
    const stat = statOf(directory);
    const status = statusTextOf(directory);

    if (!stat || isOver(stat) || !looksLikeProtector(stat, status)) return undefined;
    const candidate = {
      directory,
      stat,
      status,
      user: userOf(directory),
      lastUser: context.lastUser,
      ...targetOf(directory, claimed, context),
    };
    const holder = asHolder(candidate);
    return holder ? { protector: holder, isHidden: false } : asHelper(candidate);
  });
}

/** Whether, and in what state, this process is a holder of the target. */
export function holderNow(pid: number, target: number): Protector | undefined {
  const protector = judge(pid, {})?.protector;
  return protector?.mechanism === "holder" && protector.target === target ? protector : undefined;
}

/**
 * A protector whose target is dead, as it is now; undefined where it is none any more.
 * @param lastUser the user that the target had when it lived
 */
export function lookAgain({ pid, target }: Protector, lastUser?: string): Protector | undefined {
  const protector = judge(pid, { lastUser })?.protector;
  if (!protector || (protector.target !== target && !protector.isTargetElsewhere)) return undefined;
  return { ...protector, target };
}

/** The holder that a living process has now; undefined where it has none. */
export function holderOf(target: number): Protector | undefined {
  return claimantsOf(target)
    .map((pid) => holderNow(pid, target))
    .find((holder) => holder && !holder.isTargetGone);
}

/** The processes that bear the name of this one's helper or holder, whatever they are. */
export function claimantsOf(target: number): number[] {
  return allPids().filter((pid) => claimedTarget(pid) === target);
}

async function lookAtAll(): Promise<Findings> {
  const judgements: Judgement[] = [];
  let found: InnerPids | undefined;
  const innerPids = () => {
    found ??= findInnerPids(); // only where there are containers with protectors
    return found;
  };

  for await (const pid of eachPid()) {
    const judgement = judge(pid, { innerPids });
    if (judgement) judgements.push(judgement);
  }
  const those = (hidden: boolean) =>
    judgements.filter(({ isHidden }) => isHidden === hidden).map(({ protector }) => protector);
  return { protectors: those(false), hidden: those(true) };
}

/** The look that begins when this turn of the event loop is over: whoever asks before that has it as well. */
let next: Promise<Findings> | undefined;

/**
 * All processes that protect another one, found by looking at the system. Of many that ask at once, like a wait for 200
 * processes, all have the same look.
 * @throws the signal's reason
 */
export async function findProtectors(signal?: AbortSignal): Promise<Findings> {
  signal?.throwIfAborted();
  next ??= turn().then(() => {
    next = undefined;
    return lookAtAll();
  });
  const findings = await next;
  signal?.throwIfAborted();
  return findings;
}
