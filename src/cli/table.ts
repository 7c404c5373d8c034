import stringWidth from "string-width";

const graphemes = new Intl.Segmenter();

/** Cuts text without colours to so many columns of a terminal; "…" stands for what is gone. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = "";

  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(shown + segment) >= width) break;
    shown += segment;
  }
  return `${shown}…`;
}

/** Columns that a terminal needs for each of these rows' cells. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => stringWidth(row[index] ?? ""))));
}

/** Rows of cells one below the other, `gap` columns apart; numbers end where those above do. */
export function alignRows(
  rows: readonly (readonly string[])[],
  isNumber: readonly boolean[],
  gap: number,
): string {
  const widths = columnWidths(rows);

  function padded(cell: string, index: number): string {
    const padding = " ".repeat((widths[index] ?? 0) - stringWidth(cell));
    return isNumber[index] ? padding + cell : cell + padding;
  }
  return rows.map((row) => row.map(padded).join(" ".repeat(gap)).trimEnd()).join("\n");
}
