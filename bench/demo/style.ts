import { styleText } from "node:util";

const { stdout } = process;

/** Whether lines can be redrawn. */
export const isInteractive = stdout.isTTY === true && process.env.TERM !== "dumb";

const hasColours = isInteractive && stdout.hasColors(); // heeds NO_COLOR

export type Style = Parameters<typeof styleText>[0];

export function styled(style: Style, text: string): string {
  return hasColours ? styleText(style, text) : text;
}
