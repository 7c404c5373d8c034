/** The parts of a holder's start that may fail, as its report names them: native/holder/report.h. */
export const holderStages = [
  "arguments",
  "cgroup",
  "process",
  "daemon",
  "access",
  "confine",
  "hold",
] as const;

/**
 * Where the start of a holder failed: in a stage of its own; before, because its program cannot be executed; or it was
 * "killed" before it could report, or has not reported "in time".
 */
export type FailedStage = (typeof holderStages)[number] | "execute" | "killed" | "in time";

/** What a holder could not do. */
export interface HolderFailure {
  readonly stage: FailedStage;
  /** The kernel's, or 0 where there is none. */
  readonly errno: number;
  /** For people, as in "could not …". */
  readonly step: string;
}

/** The PID of a holder that is armed, otherwise why none is. */
export type HolderReport = { readonly holderPid: number } | HolderFailure;

/** Reads "armed <pid>" or "failed <stage> <errno> <step>"; native/holder/report.h. */
export function parseReport(line: string): HolderReport {
  const [, holderPid] = /^armed (\d+)\n$/.exec(line) ?? [];
  const [, word, errno, step] = /^failed (\w+) (\d+) (.+)\n$/.exec(line) ?? [];
  const stage = holderStages.find((each) => each === word);

  if (holderPid !== undefined) return { holderPid: Number(holderPid) };
  if (stage === undefined || step === undefined)
    return { stage: "killed", errno: 0, step: "hear of it: it was killed" };
  return { stage, errno: Number(errno), step };
}
