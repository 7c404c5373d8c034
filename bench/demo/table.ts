import Table from "cli-table3";
import { styled } from "#dist/cli/style.js";
import { durationText, ratioText } from "./format.js";

export interface Row {
  readonly name: string;
  /** The times in milliseconds, or why there are none. */
  readonly result: { readonly exit: number; readonly back: number } | string;
}

const heads = ["", "exit", "memory back", "exit faster by"];

/** The first row is what the others are compared with. */
export function tableOf(rows: readonly Row[]): string {
  const table = new Table({
    head: heads.map((head) => styled("bold", head)),
    colAligns: ["left", "right", "right", "right"],
    style: { compact: true, head: [], border: [] }, // its own colours know nothing of NO_COLOR
  });
  const reference = rows[0]?.result;

  for (const { name, result } of rows) {
    if (typeof result === "string") {
      table.push([name, { content: result, colSpan: heads.length - 1, hAlign: "left" }]);
      continue;
    }
    const isReference = result === reference || typeof reference !== "object";
    const ratio = isReference ? "" : ratioText(reference.exit / result.exit);

    table.push([
      name,
      styled(isReference ? "yellow" : "green", durationText(result.exit)),
      durationText(result.back),
      styled("bold", ratio),
    ]);
  }
  return table.toString();
}
