import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { type ProcessDirectory, parseStatusField, type Stat } from "./procfs.js";
import { parseRecord, type ReleaseRecord } from "./record.js";

const { SIGHUP, SIGKILL, SIGSTOP } = constants.signals;

/** A set of signals as /proc/<pid>/status has it: the lowest bit is signal 1. */
function signalSet(status: string, field: string): bigint {
  const text = parseStatusField(status, field) ?? "";
  return /^[0-9a-f]+$/.test(text) ? BigInt(`0x${text}`) : 0n;
}

const bit = (signal: number) => 1n << BigInt(signal - 1);

/** Not blocked by everybody: what cannot be, what QEMU's helper waits for, and what libc keeps for itself. */
const mayBeOpen = [SIGHUP, SIGKILL, SIGSTOP, 32, 33].map(bit).reduce((set, each) => set | each);
const allSignals = (1n << 64n) - 1n;

/** MOST_WORKERS of native/common/release_options.h. */
const mostWorkers = 64;

/**
 * Whether a process has done to itself what helpers do, and hardly anybody else: it came by clone, never
 * exec'd, blocks every signal, and has one thread, or a few while it releases.
 */
export function looksLikeHelper(stat: Stat, status: string): boolean {
  const blocked = signalSet(status, "SigBlk") | mayBeOpen;
  return stat.isForkWithoutExec && stat.threads <= mostWorkers && blocked === allSignals;
}

/** Only the helper of QEMU's own -async-teardown waits for a signal; util/async-teardown.c of QEMU. */
export function mechanismOf(status: string): "helper" | "qemu" {
  return (signalSet(status, "SigCgt") & bit(SIGHUP)) === 0n ? "helper" : "qemu";
}

const descriptorsOf = ({ descriptor }: ProcessDirectory) => `/proc/self/fd/${descriptor}/fd`;

/** Whether this user may see what a process has open; ptrace(2), PTRACE_MODE_READ. */
export function mayInspect(directory: ProcessDirectory): boolean {
  try {
    readdirSync(descriptorsOf(directory));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "EACCES" && code !== "EPERM";
  }
}

/** What a helper has written of its release; undefined before, or where it could make no memory file. */
export function releaseRecordOf(directory: ProcessDirectory): ReleaseRecord | undefined {
  const descriptors = descriptorsOf(directory);

  try {
    const name = readdirSync(descriptors).find((each) =>
      readlinkSync(`${descriptors}/${each}`).startsWith("/memfd:async-teardown"),
    );
    const record =
      name === undefined ? undefined : parseRecord(readFileSync(`${descriptors}/${name}`, "latin1"));

    return record?.state === "releasing" ? record : undefined;
  } catch {
    return undefined; // it ended while we looked, or is about to
  }
}
