import { type ExitingProcess, findExitingProcesses } from "../linux/exiting-processes.js";
import { withProcess } from "../linux/living-target.js";
import { hasEnded, residentOf } from "../linux/procfs.js";
import { findProtectors, lookAgain, type Protector } from "../linux/protectors.js";
import { type AddressSpace, addressSpaceOf } from "../teardown/address-space.js";
import { group } from "../teardown/list.js";
import { leastBytes, patience } from "../teardown/standstill.js";
import type { Shortage } from "./shortages.js";

/** What was found to give memory back. An exit that nobody speeds up does so as well. */
export interface UnderWay {
  readonly protectors: readonly Protector[];
  /** Those of other users, who may say what they like. */
  readonly doubtful: readonly Protector[];
  readonly exits: readonly ExitingProcess[];
}

const noiseOf = ({ kind }: Shortage["pool"]) => (kind === "host" || kind === "cgroup" ? leastBytes : 1);

export const nothingUnderWay: UnderWay = { protectors: [], doubtful: [], exits: [] };

export function isNothing({ protectors, doubtful, exits }: UnderWay): boolean {
  return protectors.length + doubtful.length + exits.length === 0;
}

export async function findUnderWay(signal: AbortSignal | undefined): Promise<UnderWay> {
  const { protectors, hidden } = await findProtectors(signal);
  const exits = await findExitingProcesses(signal);
  const isOrphan = ({ isTargetGone }: Protector) => isTargetGone;
  const orphans = { protectors: protectors.filter(isOrphan), doubtful: hidden.filter(isOrphan) };
  const all = [...orphans.protectors, ...orphans.doubtful];

  return { ...orphans, exits: exits.filter((exit) => !all.some(({ pid }) => pid === exit.pid)) };
}

const again = (protectors: readonly Protector[]) =>
  protectors.map((each) => lookAgain(each)).filter((each) => each !== undefined);

/** What of it goes on still. */
export function stillUnderWay({ protectors, doubtful, exits }: UnderWay): UnderWay {
  return {
    protectors: again(protectors),
    doubtful: again(doubtful),
    exits: exits.filter(({ pid }) => withProcess(pid, hasEnded) === false),
  };
}

export function teardownsOf({ protectors, doubtful, exits }: UnderWay): AddressSpace[] {
  return [
    ...group([...protectors, ...doubtful]).map((each) => addressSpaceOf(each[0].target, each, true)),
    ...exits.map(({ pid, name }) => ({
      ...addressSpaceOf(pid, [], true),
      command: [name],
      state: "releasing" as const,
    })),
  ];
}

/** Milliseconds that nothing has to come back by those who are not believed. QEMU's helper needs half of that. */
const doubt = 2000;

/** Notes a value; whether it is better than the best before, by more than noise. */
function isBetter<Key>(best: Map<Key, number>, key: Key, value: number, noise: number): boolean {
  if (value < (best.get(key) ?? Number.NEGATIVE_INFINITY) + noise) return false;
  best.set(key, value);
  return true;
}

/**
 * Gives a function that is told, look by look, how things stand, and says whether nothing has come back for too long:
 * no more can be had than at any look before, and nobody holds less. So nobody keeps us waiting who only says that he
 * gives memory back.
 */
export function newStandstill(): (shortages: readonly Shortage[], underWay: UnderWay) => boolean {
  const available = new Map<string, number>();
  const freed = new Map<number, number>();
  let since = performance.now();

  return (shortages, { protectors, doubtful, exits }) => {
    const isSure = protectors.length + exits.length > 0;
    const isMore = shortages
      .map(({ pool, available: now }) => isBetter(available, JSON.stringify(pool), now, noiseOf(pool)))
      .includes(true);
    const isLess = [...protectors, ...doubtful]
      .map(({ pid }) => isBetter(freed, pid, -(residentOf(pid) ?? 0), leastBytes))
      .includes(true);

    // What others give back says nothing of those who only say that they do.
    if (isLess || (isMore && isSure)) since = performance.now();
    return performance.now() - since > (isSure ? patience : doubt);
  };
}
