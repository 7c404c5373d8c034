import { formatBytes } from "../format.js";
import { hugePagePool, hugePageSizes, transparentHugePages } from "../linux/huge-pages.js";
import { swap } from "../linux/swap.js";
import type { Check } from "./check.js";

export function checkHugePages(): Check {
  const pools = hugePageSizes().map((size) => {
    const { available, total } = hugePagePool(size, undefined);
    return `${formatBytes(size)}: ${available} of ${total} free`;
  });
  return { name: "huge-pages", status: "info", found: pools.join(", ") || "no pools" };
}

export function checkTransparentHugePages(): Check {
  return { name: "transparent-huge-pages", status: "info", found: transparentHugePages() ?? "not there" };
}

export function checkSwap(): Check {
  const { total, used } = swap();
  const found = total === 0 ? "none" : `${formatBytes(total)}, ${formatBytes(used)} of it in use`;

  return { name: "swap", status: "info", found };
}
