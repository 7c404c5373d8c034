import { readSetting } from "../linux/kernel-file.js";
import { checkProc, residentOf } from "../linux/procfs.js";
import { findProtectors, type Protector } from "../linux/protectors.js";
import { type AddressSpace, addressSpaceOf } from "./address-space.js";
import { type Total, totalsOf } from "./totals.js";

export interface Listing {
  readonly addressSpaces: readonly AddressSpace[];
  /** Of each unit and container, its living targets together. */
  readonly totals: readonly Total[];
  /**
   * How many more processes look like protectors, and are not believed: this user may not look into them, or their
   * target is dead and they are of another user, who may say what he likes.
   */
  readonly hidden: number;
  /** Those of another user that say they have a dead process's memory: what they say, and what the kernel says. */
  readonly unconfirmed: readonly {
    readonly pid: number;
    readonly target: number;
    readonly heldBytes: number | null;
  }[];
  /** Whether /proc shows this user no processes of others at all (hidepid; proc(5)). */
  readonly hidesOthers: boolean;
}

/** Those of a dead target and those of a living one with the same PID are two address spaces. */
export function group(protectors: readonly Protector[]): [Protector, ...Protector[]][] {
  const groups = new Map<string, [Protector, ...Protector[]]>();

  for (const protector of protectors) {
    const { target, isTargetGone, isTargetElsewhere, pid } = protector;
    const key = isTargetElsewhere ? `elsewhere ${pid}` : `${target} ${isTargetGone}`;
    const others = groups.get(key);

    if (others) others.push(protector);
    else groups.set(key, [protector]);
  }
  return [...groups.values()];
}

/**
 * Every address space that is protected, or being torn down behind its target, in the order of the targets.
 * Found by looking at the system: it is true after crashes, and for what other people started.
 * @throws AsyncTeardownError ERR_NO_PROC, ERR_PLATFORM, ERR_NOT_BUILT; the signal's reason
 */
export async function list({ signal }: { signal?: AbortSignal } = {}): Promise<Listing> {
  checkProc();
  const { protectors, hidden } = await findProtectors(signal);

  const addressSpaces = group(protectors)
    .map(([first, ...others]) => addressSpaceOf(first.target, [first, ...others], first.isTargetGone))
    .sort((a, b) => a.target - b.target);

  return {
    addressSpaces,
    totals: totalsOf(addressSpaces),
    hidden: hidden.length,
    unconfirmed: hidden
      .filter(({ isTargetGone }) => isTargetGone)
      .map(({ pid, target }) => ({ pid, target, heldBytes: residentOf(pid) ?? null })),
    hidesOthers: readSetting("/proc/1/comm") === undefined,
  };
}
