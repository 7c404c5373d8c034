import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { formatBytes, formatRate, formatSeconds } from "../format.js";
import type { AddressSpace, State } from "../teardown/address-space.js";
import { bar, type Style, styled } from "./style.js";

const styles: Record<State, Style> = {
  unprotected: "dim",
  protected: "green",
  waiting: "red",
  "target gone": "yellow",
  releasing: "yellow",
  ended: "dim",
};

const names = { helper: "helper", holder: "holder", qemu: "QEMU's helper" } as const;

/** What a process calls itself must not move the cursor, or turn text around. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}

/** The words of the command, the first one without the directory. */
function wordsOf({ command }: AddressSpace): string[] {
  const [program = "", ...words] = command ?? ["-"];
  return [program.replace(/^.*\/(?=.)/s, ""), ...words].map(printable);
}

const commandText = (space: AddressSpace) => wordsOf(space).join(" ");

function heldText({ heldBytes, initialBytes }: AddressSpace): string {
  if (heldBytes !== null) return formatBytes(heldBytes);
  return initialBytes === null ? "?" : `≤ ${formatBytes(initialBytes)}`;
}

const known = (value: number | null, text: (value: number) => string) => (value === null ? "" : text(value));

/** The share of the memory that is back; undefined where it is not known. */
export function shareFreed({ freedBytes, initialBytes }: AddressSpace): number | undefined {
  return freedBytes === null || !initialBytes ? undefined : freedBytes / initialBytes;
}

const barWidth = 16;

interface Column {
  readonly head: string;
  readonly text: (space: AddressSpace) => string;
  readonly isNumber?: boolean;
}

const command: Column = { head: "COMMAND", text: commandText };

const columns = {
  target: { head: "TARGET", text: ({ target }) => String(target), isNumber: true },
  command,
  by: { head: "BY", text: ({ protectors }) => protectors.map(({ mechanism }) => names[mechanism]).join("+") },
  state: { head: "STATE", text: ({ state }) => styled(styles[state], state) },
  held: { head: "HELD", text: heldText, isNumber: true },
  freed: { head: "FREED", text: ({ freedBytes }) => known(freedBytes, formatBytes), isNumber: true },
  rate: {
    head: "RATE",
    text: ({ bytesPerSecond }) => known(bytesPerSecond, formatRate),
    isNumber: true,
  },
  elapsed: {
    head: "ELAPSED",
    text: ({ elapsedSeconds }) => known(elapsedSeconds, formatSeconds),
    isNumber: true,
  },
  left: {
    head: "LEFT",
    text: ({ remainingSeconds }) => known(remainingSeconds, formatSeconds),
    isNumber: true,
  },
  progress: {
    head: "PROGRESS",
    text: (space) => known(shareFreed(space) ?? null, (share) => bar(share, barWidth)),
  },
} satisfies Record<string, Column>;

const { target, by, state, held, freed, rate, elapsed, left, progress } = columns;

/** From what tells most, on a wide terminal, to what must be there on a narrow one. */
const layouts: readonly (readonly Column[])[] = [
  [target, command, by, state, held, freed, rate, elapsed, left, progress],
  [target, command, by, state, held, freed, elapsed, left],
  [target, command, state, held, left],
  [target, state, held],
];

const gap = 2;
const leastCommand = 14;

function draw(
  layout: readonly Column[],
  spaces: readonly AddressSpace[],
  commandWidth: number | null,
): string {
  const nothing = ["top", "bottom", "left", "right", "mid"].flatMap((side) =>
    [side, `${side}-left`, `${side}-right`, `${side}-mid`].map((name) => [name, ""]),
  );
  const table = new Table({
    chars: {
      ...Object.fromEntries(nothing),
      "left-mid": "",
      "mid-mid": "",
      "right-mid": "",
      middle: " ".repeat(gap),
    },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    head: layout.map(({ head }) => styled("bold", head)),
    colAligns: layout.map(({ isNumber }) => (isNumber ? "right" : "left")),
    colWidths: layout.map((column) => (column === command ? commandWidth : null)),
  });

  for (const space of spaces) table.push(layout.map(({ text }) => text(space)));
  return table.toString();
}

function widthOf(layout: readonly Column[], spaces: readonly AddressSpace[]): number {
  const widths = layout
    .filter((column) => column !== command)
    .map(({ head, text }) =>
      Math.max(head.length, ...spaces.map((space) => stripVTControlCharacters(text(space)).length)),
    );
  return widths.reduce((sum, width) => sum + width, 0) + gap * (layout.length - 1);
}

/** A table of them, a row each; no line is wider than the terminal. */
export function tableOf(spaces: readonly AddressSpace[], width: number, isMoving: boolean): string {
  const isShown = (column: Column) =>
    (column !== progress || isMoving) && spaces.some((space) => column.text(space) !== "");
  const shown = layouts.map((layout) => layout.filter(isShown));

  if (width === Number.POSITIVE_INFINITY) return draw(shown[0] ?? [], spaces, null);
  for (const layout of shown) {
    const room = width - widthOf(layout, spaces);
    const longest = Math.max(command.head.length, ...spaces.map((space) => commandText(space).length));

    if (!layout.includes(command) && room >= 0) return draw(layout, spaces, null);
    if (room >= Math.min(leastCommand, longest)) return draw(layout, spaces, Math.min(longest, room));
  }
  return draw([target, state], spaces, null);
}

/** One of them in one line, for logs and pipes. */
export function lineOf(space: AddressSpace): string {
  const held = heldText(space);
  const parts = [
    `${space.target}${space.command === null ? "" : ` ${wordsOf(space)[0]}`}: ${space.state}`,
    held === "?" ? "" : `${held} held`,
    known(space.freedBytes, (bytes) => `${formatBytes(bytes)} freed`),
    known(space.bytesPerSecond, formatRate),
    known(space.elapsedSeconds, (seconds) => `for ${formatSeconds(seconds)}`),
    known(space.remainingSeconds, (seconds) => `${formatSeconds(seconds)} left`),
  ];
  return parts.filter((part) => part !== "").join(", ");
}
