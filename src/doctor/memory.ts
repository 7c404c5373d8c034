import { hugePagePools, swap, transparentHugePages } from "../linux/memory.js";
import type { Check } from "./check.js";

/** In the largest unit that leaves a whole number. */
export function sizeText(bytes: number): string {
  const power = [4, 3, 2, 1, 0].find((each) => bytes >= 1024 ** each && bytes % 1024 ** each === 0) ?? 0;
  return `${bytes / 1024 ** power}${["", "K", "M", "G", "T"][power]}`;
}

export function checkHugePages(): Check {
  const pools = hugePagePools().map(
    ({ pageBytes, total, free }) => `${sizeText(pageBytes)}: ${free} of ${total} free`,
  );
  return { name: "huge-pages", status: "info", found: pools.join(", ") || "no pools" };
}

export function checkTransparentHugePages(): Check {
  return { name: "transparent-huge-pages", status: "info", found: transparentHugePages() ?? "not there" };
}

export function checkSwap(): Check {
  const { total, used } = swap();
  const found = total === 0 ? "none" : `${sizeText(total)}, of which ${sizeText(used)} are in use`;

  return { name: "swap", status: "info", found };
}
