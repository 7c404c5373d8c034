import stringWidth from "string-width";
import { formatBytes, formatRate, formatSeconds } from "../format.js";
import type { AddressSpace, State } from "../teardown/address-space.js";
import { bar, type Style, styled } from "./style.js";
import { alignRows, columnWidths, cut } from "./table.js";

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

/**
 * The words of the command, the first one without the directory. Servers write a title over all of them, one word with
 * blanks: "/usr/bin/redis-server unixsocket:/run/redis.sock".
 */
function wordsOf({ command }: AddressSpace): string[] {
  const [program = "", ...words] = command ?? ["-"];
  return [program.replace(/^\S*\/(?=\S)/, ""), ...words].map(printable);
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
/** As docker ps and podman ps shorten the ID of a container. */
export const shortId = 12;

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
  shared: {
    head: "SHARED",
    text: ({ sharedBytes }) => known(sharedBytes || null, formatBytes),
    isNumber: true,
  },
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
  workers: { head: "WORKERS", text: ({ workers }) => known(workers, String), isNumber: true },
  limit: { head: "LIMIT", text: ({ rateLimit }) => known(rateLimit, formatRate), isNumber: true },
  priority: { head: "PRIORITY", text: ({ priority }) => (priority === "normal" ? "" : (priority ?? "")) },
  unit: { head: "UNIT", text: ({ unit }) => unit ?? "" },
  container: { head: "CONTAINER", text: ({ container }) => (container ?? "").slice(0, shortId) },
  progress: {
    head: "PROGRESS",
    text: (space) => known(shareFreed(space) ?? null, (share) => bar(share, barWidth)),
  },
} satisfies Record<string, Column>;

const {
  target,
  by,
  state,
  held,
  shared,
  freed,
  rate,
  elapsed,
  left,
  workers,
  limit,
  priority,
  unit,
  container,
  progress,
} = columns;

/** From what tells most, on a wide terminal, to what must be there on a narrow one. */
const layouts: readonly (readonly Column[])[] = [
  [
    ...[target, command, by, state, held, shared, freed, rate, elapsed, left],
    ...[workers, limit, priority, unit, container, progress],
  ],
  [target, command, by, state, held, shared, freed, elapsed, left, workers, limit, priority, unit, container],
  [target, command, by, state, held, freed, elapsed, left, unit, container],
  [target, command, by, state, held, freed, elapsed, left],
  [target, command, state, held, left],
  [target, state, held],
];

const gap = 2;
const leastCommand = 14;

/** All as text: the heads, and a row for each. */
function rowsOf(layout: readonly Column[], spaces: readonly AddressSpace[]): string[][] {
  const heads = layout.map(({ head }) => styled("bold", head));
  return [heads, ...spaces.map((space) => layout.map(({ text }) => text(space)))];
}

function draw(layout: readonly Column[], spaces: readonly AddressSpace[], commandWidth: number): string {
  const shown = layout.map((column) =>
    column === command
      ? { ...command, text: (space: AddressSpace) => cut(commandText(space), commandWidth) }
      : column,
  );
  return alignRows(
    rowsOf(shown, spaces),
    layout.map(({ isNumber }) => isNumber ?? false),
    gap,
  );
}

/** Columns of the terminal for all but the command. */
function widthOf(layout: readonly Column[], spaces: readonly AddressSpace[]): number {
  const others = layout.filter((column) => column !== command);
  const widths = columnWidths(rowsOf(others, spaces));

  return widths.reduce((sum, width) => sum + width, 0) + gap * (layout.length - 1);
}

/** A table of them, a row each; no line is wider than the terminal. */
export function tableOf(spaces: readonly AddressSpace[], width: number, isMoving: boolean): string {
  const isShown = (column: Column) =>
    (column !== progress || isMoving) && spaces.some((space) => column.text(space) !== "");
  const shown = layouts.map((layout) => layout.filter(isShown));

  if (width === Number.POSITIVE_INFINITY) return draw(shown[0] ?? [], spaces, width);
  for (const layout of shown) {
    const room = width - widthOf(layout, spaces);
    const longest = Math.max(
      stringWidth(command.head),
      ...spaces.map((each) => stringWidth(commandText(each))),
    );

    if (!layout.includes(command) && room >= 0) return draw(layout, spaces, 0);
    if (room >= Math.min(leastCommand, longest)) return draw(layout, spaces, Math.min(longest, room));
  }
  return draw([target, state], spaces, 0);
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
