import type { AddressSpace } from "../teardown/address-space.js";
import type { Listing } from "../teardown/list.js";
import { lineOf, tableOf } from "./address-spaces.js";
import { terminalWidth } from "./style.js";

/** A listing as a table, or a sentence where there is nothing. */
export function renderListing({ addressSpaces }: Listing, isMoving: boolean): string {
  if (addressSpaces.length === 0) return "no process is protected, and no teardown is under way";
  return tableOf(addressSpaces, terminalWidth(), isMoving);
}

/** How often a teardown that goes on is told of, in milliseconds. */
const again = 5000;

const keyOf = ({ target, protectors }: AddressSpace) =>
  [target, ...protectors.map(({ pid }) => pid).sort()].join(" ");

/** Gives a function that tells, listing by listing, what is new, a line each. */
export function changesOf(): (listing: Listing) => string[] {
  let before = new Map<string, { readonly space: AddressSpace; readonly told: number }>();

  return ({ addressSpaces }) => {
    const now = performance.now();
    const seen: typeof before = new Map();
    const lines: string[] = [];

    for (const space of addressSpaces) {
      const last = before.get(keyOf(space));
      const isDue =
        last?.space.state !== space.state || (space.state === "releasing" && now - last.told >= again);

      if (isDue) lines.push(lineOf(space));
      seen.set(keyOf(space), { space, told: isDue || !last ? now : last.told });
    }
    for (const [key, { space }] of before)
      if (!seen.has(key)) lines.push(`${space.target}: ${space.state} no more`);
    before = seen;
    return lines;
  };
}
