import { isatty } from "node:tty";
import { styleText } from "node:util";

/** Whether lines can be redrawn: a terminal, and one that knows how. */
export const isInteractive = isatty(1) && process.env.TERM !== "dumb";

const hasColours = isInteractive && process.stdout.hasColors(); // heeds NO_COLOR

export type Style = Parameters<typeof styleText>[0];

export function styled(style: Style, text: string): string {
  return hasColours ? styleText(style, text) : text;
}

/** Columns of the terminal; Infinity where there is none, and nothing is to be cut. */
export function terminalWidth(): number {
  return isatty(1) ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
}

/** A bar that is full where the share is 1. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return styled("cyan", "█".repeat(full)) + styled("dim", "░".repeat(width - full));
}
