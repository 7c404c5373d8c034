import { AsyncTeardownError } from "../errors.js";
import {
  checkProc,
  closeProcess,
  openProcess,
  type ProcessDirectory,
  statOf,
  statusField,
} from "./procfs.js";

/**
 * Opens a process by the PID that a user gave; undefined where there is none.
 * @throws AsyncTeardownError ERR_NO_PROCESS for a thread, ERR_NOT_HOLDABLE for a kernel thread, ERR_NO_PROC
 */
export function openTarget(pid: number): ProcessDirectory | undefined {
  checkProc();
  const directory = openProcess(pid);

  if (!directory) return undefined;
  const leader = Number(statusField(directory, "Tgid") ?? pid);
  const stat = statOf(directory);

  if (leader === pid && !stat?.isKernelThread) return directory;
  closeProcess(directory);
  if (leader !== pid)
    throw new AsyncTeardownError("ERR_NO_PROCESS", `process ${pid} is a thread of process ${leader}`, {
      advice: `give ${leader} instead`,
    });
  throw new AsyncTeardownError(
    "ERR_NOT_HOLDABLE",
    `process ${pid} is a kernel thread (${stat?.name}), and has no address space`,
  );
}
