import { commandOf } from "../linux/command-line.js";
import { millisecondsSinceBoot } from "../linux/native.js";
import type { Owner } from "../linux/owner.js";
import type { Priority } from "../linux/priority.js";
import { memoryOf, ownerOfProcess } from "../linux/procfs.js";
import type { ReleaseRecord } from "../linux/protector-record.js";
import type { Mechanism, Protector } from "../linux/protectors.js";

/**
 * "unprotected": its target lives, and nobody protects it. "protected": its target lives. "waiting": its target lives, but the holder could not take hold of the
 * target's new image, and tries again. "target gone": the target is dead, and nobody has begun to give the
 * memory back. "releasing": somebody is at it. "ended": the memory is back.
 */
export type State = "unprotected" | "protected" | "waiting" | "target gone" | "releasing" | "ended";

/** An address space that somebody keeps, and what is known of it. What is not known is null, never guessed. */
export interface AddressSpace {
  /** The PID of the target; another process may have it by now, if the target is dead. */
  readonly target: number;
  /** The target's command and arguments. */
  readonly command: readonly string[] | null;
  /** The unit of systemd that the target runs in, or ran in: the innermost one that is not a slice. */
  readonly unit: string | null;
  /** The ID of the target's container, as its runtime named the cgroup. */
  readonly container: string | null;
  readonly state: State;
  readonly protectors: readonly { readonly pid: number; readonly mechanism: Mechanism }[];
  /** In memory now, huge pages included. */
  readonly heldBytes: number | null;
  /** Of these, files and shared memory, which other processes may have as well. */
  readonly sharedBytes: number | null;
  /** In memory when the target died. */
  readonly initialBytes: number | null;
  readonly freedBytes: number | null;
  /** Freed in a second, on average since the target's death. */
  readonly bytesPerSecond: number | null;
  /** Since the target's death. */
  readonly elapsedSeconds: number | null;
  /** Until all is freed, at that rate. */
  readonly remainingSeconds: number | null;
  /** How many threads give the memory back now. */
  readonly workers: number | null;
  /** What the release was asked for: bytes a second at most, and a priority. */
  readonly rateLimit: number | null;
  readonly priority: Priority | null;
}

function releaseOf(protectors: readonly Protector[]): ReleaseRecord | undefined {
  return protectors.map(({ record }) => record).find((record) => record?.state === "releasing");
}

/** Start times are cut off to ticks of the clock; more than a few of them is no time that has passed. */
const leastElapsed = -0.1;

/**
 * Seconds since the target's death. Its protector says how old it was itself then, because the clock of a time namespace
 * may be another one than ours; when it started the kernel tells by ours.
 */
function elapsedOf(protectors: readonly Protector[]): number | null {
  for (const { started, record } of protectors) {
    const seconds =
      record?.state === "releasing" ? (millisecondsSinceBoot() - started - record.died) / 1000 : Number.NaN;
    if (seconds > leastElapsed) return Math.max(0, seconds);
  }
  return null;
}

function stateOf(protectors: readonly Protector[], isTargetGone: boolean): State {
  if (isTargetGone) return protectors.some(({ isReleasing }) => isReleasing) ? "releasing" : "target gone";
  if (protectors.length === 0) return "unprotected";
  return protectors.every(({ record }) => record?.state === "waiting") ? "waiting" : "protected";
}

const toMilliseconds = (seconds: number) => Math.round(seconds * 1000) / 1000;

/** Fills in what follows from what is held, what was at first, and the time since. */
export function withProgress(space: AddressSpace): AddressSpace {
  const { heldBytes, initialBytes } = space;
  const elapsedSeconds = space.elapsedSeconds === null ? null : toMilliseconds(space.elapsedSeconds);
  const freedBytes =
    heldBytes === null || initialBytes === null ? null : Math.max(0, initialBytes - heldBytes);
  const bytesPerSecond =
    freedBytes === null || !elapsedSeconds ? null : Math.round(freedBytes / elapsedSeconds);
  const remainingSeconds =
    heldBytes === null || !bytesPerSecond ? null : toMilliseconds(heldBytes / bytesPerSecond);

  return { ...space, freedBytes, bytesPerSecond, elapsedSeconds, remainingSeconds };
}

/** A holder wrote down for whom its target ran; a helper is in its target's cgroup. */
function ownerOf(witnesses: readonly number[], protectors: readonly Protector[]): Owner {
  const recorded = protectors.map(({ owner }) => owner);
  const owners = [...witnesses.map(ownerOfProcess), ...recorded];

  return {
    unit: owners.find((owner) => owner && owner.unit !== null)?.unit ?? null,
    container: owners.find((owner) => owner && owner.container !== null)?.container ?? null,
  };
}

/** Describes the one that these protect, all of them the same target. */
export function addressSpaceOf(
  target: number,
  protectors: readonly Protector[],
  isTargetGone: boolean,
): AddressSpace {
  const insiders = protectors.filter(({ mechanism }) => mechanism !== "holder").map(({ pid }) => pid);
  const witnesses = isTargetGone ? insiders : [target];
  const memory = witnesses.map(memoryOf).find((each) => each !== undefined);
  const release = isTargetGone ? releaseOf(protectors) : undefined;

  return withProgress({
    target,
    command: witnesses.map(commandOf).find((command) => command !== undefined) ?? null,
    ...ownerOf(witnesses, protectors),
    state: stateOf(protectors, isTargetGone),
    protectors: protectors.map(({ pid, mechanism }) => ({ pid, mechanism })),
    heldBytes: memory ? memory.ownBytes + memory.sharedBytes : null,
    sharedBytes: memory?.sharedBytes ?? null,
    initialBytes: release?.bytes ?? null,
    freedBytes: null,
    bytesPerSecond: null,
    elapsedSeconds: release ? elapsedOf(protectors) : null,
    remainingSeconds: null,
    workers: release?.workers ?? null,
    rateLimit: release?.rate ?? null,
    priority: release?.priority ?? protectors.map(({ priority }) => priority).find((each) => each) ?? null,
  });
}
