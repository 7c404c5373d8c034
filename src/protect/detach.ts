import { setTimeout as sleep } from "node:timers/promises";
import { getSystemErrorName } from "node:util";
import { AsyncTeardownError } from "../errors.js";
import { killProcess } from "../linux/native.js";
import { closeProcess, hasEnded, openProcess } from "../linux/procfs.js";
import { type Findings, findProtectors, holderNow, holdersOf } from "../linux/protectors.js";
import { refuseProtector } from "../linux/refuse-protector.js";

/** Ends a process, if it is a holder of the target. */
export async function endHolder(target: number, pid: number): Promise<void> {
  const directory = openProcess(pid);

  if (!directory) return;
  try {
    if (!holderNow(pid, target)) return; // it has ended, and its PID is another's
    const errno = killProcess(directory);
    const name = errno === 0 ? "" : getSystemErrorName(-errno);

    if (name !== "" && name !== "ESRCH")
      throw new AsyncTeardownError(
        "ERR_NOT_PERMITTED",
        `process ${target} cannot be detached: its holder ${pid} cannot be ended (${name})`,
        { advice: "detach it as the user who attached it, or as root" },
      );
    while (!hasEnded(directory)) await sleep(1);
  } finally {
    closeProcess(directory);
  }
}

/** Says why there is no holder to be ended. */
function explain({ protectors }: Findings, pid: number): never {
  const helper = protectors.find(
    ({ target, mechanism, isTargetGone }) => target === pid && mechanism !== "holder" && !isTargetGone,
  );
  const directory = openProcess(pid);

  if (!directory) throw new AsyncTeardownError("ERR_NO_PROCESS", `process ${pid} does not exist`);
  closeProcess(directory);
  if (helper)
    throw new AsyncTeardownError(
      "ERR_NOT_ATTACHED",
      `process ${pid} is not attached, but was started with a helper (process ${helper.pid})`,
      { advice: `'kill -KILL ${helper.pid}' takes that protection away` },
    );
  throw new AsyncTeardownError("ERR_NOT_ATTACHED", `process ${pid} is not attached`);
}

/** As {@link detach}, by somebody who knows already who protects whom. */
export async function detachFrom(findings: Findings, pid: number): Promise<void> {
  refuseProtector(findings.protectors, pid);
  const all = holdersOf(findings, pid);
  const holders = all.filter(({ isTargetGone }) => !isTargetGone); // the others' target had the same PID before
  const releasing = all.find(({ isTargetGone }) => isTargetGone);

  if (releasing && holders.length === 0)
    throw new AsyncTeardownError(
      "ERR_NO_PROCESS",
      `process ${pid} has ended, and holder ${releasing.pid} is giving its memory back`,
    );
  if (holders.length === 0) explain(findings, pid);
  for (const holder of holders) await endHolder(pid, holder.pid);
}

/**
 * Ends the protection of a process that was attached, by whomever; the process itself is not touched.
 * Resolves when its holder is gone.
 *
 * @throws AsyncTeardownError ERR_NO_PROCESS, ERR_NOT_ATTACHED, ERR_NOT_PERMITTED; ERR_PLATFORM, ERR_NOT_BUILT
 */
export async function detach(pid: number): Promise<void> {
  return detachFrom(await findProtectors(), pid);
}
