/* How the figures of a bench are put together and shown. */
import Table from "cli-table3";
import { GiB, MiB } from "./units.js";

export const worst = (numbers: readonly number[]) => Math.max(...numbers);
export const ms = (seconds: number) => `${(seconds * 1000).toFixed(seconds < 0.01 ? 3 : 0)} ms`;
export const times = (ratio: number) => `${ratio.toFixed(ratio < 10 ? 2 : 0)} ×`;

export function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

export function show(title: string, head: string[], rows: string[][]): void {
  const table = new Table({ head, style: { head: [], border: [] }, colAligns: head.map(() => "right") });

  table.push(...rows);
  console.log(`\n${title}\n${table.toString()}`);
}

export function sizeText(bytes: number): string {
  return bytes === 0 ? "empty" : bytes < GiB ? `${bytes / MiB} MiB` : `${bytes / GiB} GiB`;
}
