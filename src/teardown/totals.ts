import type { ProcessMemory } from "../linux/procfs.js";
import type { AddressSpace } from "./address-space.js";

/** What the living targets of one unit, or one container, hold together. */
export interface Total {
  readonly unit: string | null;
  readonly container: string | null;
  /** How many they are. */
  readonly processes: number;
  /** In memory; what they share is counted once. */
  readonly heldBytes: number;
}

/** Shared memory is counted as often as somebody has it mapped: of that, the largest share of one counts. */
export function totalBytes(memories: readonly ProcessMemory[]): number {
  const own = memories.reduce((sum, { ownBytes }) => sum + ownBytes, 0);
  return own + Math.max(0, ...memories.map(({ sharedBytes }) => sharedBytes));
}

const isLiving = ({ state }: AddressSpace) => state === "protected" || state === "waiting";

/** By unit and container, those without either left out. */
export function totalsOf(spaces: readonly AddressSpace[]): Total[] {
  const groups = new Map<string, AddressSpace[]>();

  for (const space of spaces.filter(isLiving)) {
    if (space.unit === null && space.container === null) continue;
    const key = `${space.unit} ${space.container}`;
    groups.set(key, [...(groups.get(key) ?? []), space]);
  }
  return [...groups.values()].flatMap((group) => {
    const memories = group.flatMap(({ heldBytes, sharedBytes }) =>
      heldBytes === null || sharedBytes === null ? [] : [{ ownBytes: heldBytes - sharedBytes, sharedBytes }],
    );
    const [first] = group;
    if (!first || memories.length === 0) return [];
    const { unit, container } = first;
    return [{ unit, container, processes: memories.length, heldBytes: totalBytes(memories) }];
  });
}
