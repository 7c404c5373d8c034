import { hugePagePools, swap, transparentHugePages } from "../linux/memory.js";
import type { Check } from "./check.js";

/** In the largest unit that it reaches, with one decimal at most. */
export function sizeText(bytes: number): string {
  const power = [4, 3, 2, 1].find((each) => bytes >= 1024 ** each) ?? 0;
  return `${Number((bytes / 1024 ** power).toFixed(1))}${["", "K", "M", "G", "T"][power]}`;
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
  const found = total === 0 ? "none" : `${sizeText(total)}, ${sizeText(used)} of it in use`;

  return { name: "swap", status: "info", found };
}
