import { isatty } from "node:tty";
import { styleText } from "node:util";

/** Whether lines can be redrawn: a terminal, one that knows how, and that has a size. */
export const isInteractive = isatty(1) && process.env.TERM !== "dumb" && process.stdout.rows > 0;

export type Style = Parameters<typeof styleText>[0];

/** In that style where the terminal has colours, and NO_COLOR does not forbid them. */
export function styled(style: Style, text: string): string {
  return isInteractive && process.stdout.hasColors() ? styleText(style, text) : text;
}

/** Columns of the terminal; Infinity where there is none, and nothing is to be cut. */
export function terminalWidth(): number {
  return isatty(1) ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
}

/** Lines of a terminal that is interactive. */
export function terminalHeight(): number {
  return process.stdout.rows;
}

/** A bar that is full where the share is 1. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return styled("cyan", "█".repeat(full)) + styled("dim", "░".repeat(width - full));
}

/** Columns of a bar in a line of `wait`. */
export const barWidth = 24;

/** Lines that are drawn anew where they stand; undefined where they cannot be, or are for machines. */
export async function openScreen(isJson: boolean) {
  return isInteractive && !isJson ? (await import("log-update")).default : undefined;
}
