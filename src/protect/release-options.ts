import { inspect } from "node:util";
import { AsyncTeardownError } from "../errors.js";
import { type Priority, priorities } from "../linux/priority.js";

/** How the memory is given back once the target is dead. */
export interface ReleaseOptions {
  /**
   * How many threads give it back, at most: 1 to 64, or "auto" for as many CPUs as the target may use. Little
   * memory takes fewer. A holder is always one.
   * @default "auto"
   */
  workers?: number | "auto" | undefined;
  /**
   * Bytes a second of private memory, at most; 1 MiB to 8 TiB. Not for holders.
   * @default no limit
   */
  rate?: number | undefined;
  /**
   * How gently: "normal"; "low" with the least share of CPU; "idle" when nothing else wants to run.
   * @default "normal"
   */
  priority?: Priority | undefined;
}

/** MOST_WORKERS of native/common/release_options.h. */
export const mostWorkers = 64;

/** LEAST_RATE and MOST_RATE there: bytes a second. */
export const leastRate = 2 ** 20;
export const mostRate = 2 ** 43;

const isWithin = (number: number, least: number, most: number) =>
  Number.isSafeInteger(number) && number >= least && number <= most;

export const isWorkers = (count: number) => isWithin(count, 1, mostWorkers);
export const isRate = (rate: number) => isWithin(rate, leastRate, mostRate);

/**
 * Refuses what makes no sense, before anything is started.
 * @throws AsyncTeardownError ERR_USAGE
 */
export function checkReleaseOptions(options: ReleaseOptions): void {
  const refuseOption = (what: string, value: unknown): never => {
    const words = inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 0 });
    throw new AsyncTeardownError("ERR_USAGE", `${what}, not ${words}`);
  };

  if (typeof options !== "object" || options === null)
    refuseOption("what is asked for is an object", options);
  const { workers, rate, priority } = options;

  if (workers !== undefined && workers !== "auto" && !isWorkers(workers))
    refuseOption(`workers is "auto" or a whole number from 1 to ${mostWorkers}`, workers);
  if (rate !== undefined && !isRate(rate))
    refuseOption(`rate is a whole number of bytes a second, from ${leastRate} to ${mostRate}`, rate);
  if (priority !== undefined && !priorities.includes(priority))
    refuseOption(`priority is one of ${priorities.join(", ")}`, priority);
}

/** The same as numbers, as struct release_options of native/common/release_options.h has them. */
export function releaseNumbers({ workers = "auto", rate = 0, priority = "normal" }: ReleaseOptions) {
  return {
    workers: workers === "auto" ? 0 : workers,
    rate,
    priority: priorities.indexOf(priority),
  };
}

/** The same as native/common/protection.h has it; what is as usual is left out. */
export function releaseWords({ workers = "auto", rate, priority = "normal" }: ReleaseOptions): string {
  return [
    workers === "auto" ? "" : `/workers:${workers}`,
    rate === undefined ? "" : `/rate:${rate}`,
    priority === "normal" ? "" : `/priority:${priority}`,
  ].join("");
}
