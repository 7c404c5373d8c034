import { AsyncTeardownError } from "../../errors.js";
import { processesIn } from "../../linux/cgroup-processes.js";
import { residentOf } from "../../linux/procfs.js";
import { type Findings, findProtectors } from "../../linux/protectors.js";
import { attachUnlessIn, type Hold } from "../../protect/attach.js";
import { sharedByTarget } from "../../protect/shared-objects.js";
import { openHoldScope } from "./hold-scope.js";
import { showService } from "./systemctl.js";

/**
 * More processes than this are not held: their memory is rarely worth it, and each holder is a process. The
 * largest come first.
 */
const mostProcesses = 64;

export interface HeldService {
  readonly holds: readonly Hold[];
  /** What could not be held, and why. */
  readonly failures: readonly AsyncTeardownError[];
}

/** The main process, then the others of the service, the largest first. */
function targetsOf(mainPid: number, cgroup: string): number[] {
  const size = (pid: number) => residentOf(pid) ?? 0;
  const others = (cgroup === "" ? [] : processesIn(cgroup)).filter((pid) => pid !== mainPid);
  const main = mainPid === 0 ? [] : [mainPid];

  return [...main, ...others.sort((a, b) => size(b) - size(a))].slice(0, mostProcesses);
}

/** A helper inside a service ends with it, so only a holder counts. */
function holdersIn({ protectors, hidden }: Findings): Findings {
  return { protectors: protectors.filter(({ mechanism }) => mechanism === "holder"), hidden };
}

/** What comes and goes in a service is not worth a word, except its main process. */
const isNews = (pid: number, mainPid: number) => (error: AsyncTeardownError) =>
  error.code !== "ERR_ALREADY_PROTECTED" && (error.code !== "ERR_NO_PROCESS" || pid === mainPid);

/**
 * Holds the processes that a service has now, in a scope of systemd's that lasts as long as the holders.
 * Those that are held already stay as they are.
 * @throws AsyncTeardownError ERR_SYSTEMCTL
 */
export async function holdService(name: string, isUser: boolean): Promise<HeldService> {
  const { mainPid, cgroup } = await showService(isUser, name);
  const findings = await findProtectors();
  const protecting = new Set(findings.protectors.map(({ pid }) => pid));
  const targets = targetsOf(mainPid, cgroup).filter((pid) => !protecting.has(pid));
  const holds: Hold[] = [];
  const failures: AsyncTeardownError[] = [];

  if (targets.length === 0) return { holds, failures };
  const shared = sharedByTarget(targets);
  const scope = await openHoldScope(name, isUser);

  const request = (pid: number) => ({ cgroup: scope.cgroup, sharedObjects: shared.get(pid) ?? [] });

  try {
    for (const pid of targets) {
      try {
        holds.push(await attachUnlessIn(holdersIn(findings), pid, request(pid)));
      } catch (error) {
        if (!(error instanceof AsyncTeardownError)) throw error;
        failures.push(...[error].filter(isNews(pid, mainPid)));
      }
    }
  } finally {
    await scope.close();
  }
  return { holds, failures };
}
