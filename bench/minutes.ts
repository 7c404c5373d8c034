import { InvalidArgumentError } from "commander";

/** Reads how long something may take, for commander. */
export function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0 && minutes < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError("Minutes are a number above 0.");
  return minutes;
}
