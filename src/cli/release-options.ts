import { type Command, InvalidArgumentError, Option } from "commander";
import { type Priority, priorities } from "../linux/priority.js";
import { isRate, isWorkers, mostWorkers } from "../protect/release-options.js";
import { parseSize } from "./units.js";

export interface ReleaseCommandOptions {
  workers?: number | "auto";
  rate?: number;
  priority?: Priority;
}

function parseWorkers(word: string): number | "auto" {
  if (word === "auto") return word;
  if (!/^\d+$/.test(word) || !isWorkers(Number(word)))
    throw new InvalidArgumentError(`Workers are "auto" or a number from 1 to ${mostWorkers}.`);
  return Number(word);
}

function parseRate(word: string): number {
  const rate = parseSize(word);

  if (!isRate(rate)) throw new InvalidArgumentError("A rate is 1M to 8T, of bytes a second.");
  return rate;
}

export const priorityOption = () =>
  new Option(
    "--priority <priority>",
    "how gently the memory is given back: as other work, with the least share of CPU, or when nothing else runs",
  )
    .choices(priorities)
    .default("normal");

/** The release options of a helper: how it gives the memory back. */
export function addReleaseOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--workers <number>",
        "how many threads give the memory back, at most, 1 to 64; 'auto': one for each CPU that the target may use",
      )
        .argParser(parseWorkers)
        .default("auto"),
    )
    .addOption(
      new Option(
        "--rate <bytes>",
        "bytes a second that are given back at most, as 2G, 1M to 8T; of private memory, by a helper",
      ).argParser(parseRate),
    )
    .addOption(priorityOption());
}
