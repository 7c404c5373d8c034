import { formatBytes } from "../format.js";
import type { AddressSpace } from "../teardown/address-space.js";
import type { Listing } from "../teardown/list.js";
import { lineOf, shortId, tableOf } from "./address-spaces.js";
import { terminalHeight, terminalWidth } from "./style.js";

function render(
  spaces: readonly AddressSpace[],
  { hidden, hidesOthers }: Listing,
  isMoving: boolean,
): string {
  if (spaces.length === 0)
    return hidden > 0 || hidesOthers
      ? "no process is known to be protected, and no teardown to be under way"
      : "no process is protected, and no teardown is under way";
  return tableOf(spaces, terminalWidth(), isMoving);
}

/** What several processes hold together, where that is less than the sum of what each holds. */
function totalLines({ totals }: Listing): string[] {
  return totals
    .filter(({ processes }) => processes > 1)
    .map(({ unit, container, processes, heldBytes }) => {
      const name = unit ?? (container ?? "").slice(0, shortId);
      return `${name}: ${processes} processes, ${formatBytes(heldBytes)} held, what they share counted once`;
    });
}

/** A listing as a table, or a sentence where there is nothing. */
export function renderListing(listing: Listing): string {
  return [render(listing.addressSpaces, listing, false), ...totalLines(listing)].join("\n");
}

const isGone = ({ state }: AddressSpace) => state === "releasing" || state === "target gone";

/** The same, to be drawn again and again: what goes on comes first, and what is too much for the screen is counted. */
export function renderMoving(listing: Listing, notice: string | undefined): string {
  const totals = totalLines(listing);
  const spaces = [...listing.addressSpaces].sort((a, b) => Number(isGone(b)) - Number(isGone(a)));
  const [head = "", ...rows] = render(spaces, listing, true).split("\n");
  const room = Math.max(1, terminalHeight() - 4 - totals.length); // heading, both lines below, and the cursor's
  const more = rows.length - room;

  return [head, ...rows.slice(0, room), more > 0 ? `… and ${more} more` : undefined, ...totals, notice]
    .filter((line) => line !== undefined)
    .join("\n");
}

/** How often a teardown that goes on is told of, in milliseconds. */
const again = 5000;

/** The same from the first to the last, as the target's PID need not be. */
const keyOf = ({ protectors }: AddressSpace) => Math.min(...protectors.map(({ pid }) => pid));

/** Gives a function that tells, listing by listing, what is new, a line each. */
export function changesOf(): (listing: Listing) => string[] {
  let before = new Map<number, { readonly space: AddressSpace; readonly told: number }>();

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
      if (!seen.has(key))
        lines.push(`${space.target}: ${isGone(space) ? "its memory is back" : "protected no more"}`);
    before = seen;
    return lines;
  };
}
