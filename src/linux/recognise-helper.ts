import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { constants as system } from "node:os";
import { readMemoryFile } from "./memory-file.js";
import {
  type FilesOfThread,
  firstNamesIn,
  livingThreadsOf,
  type ProcessDirectory,
  parseStatusField,
  type Stat,
} from "./procfs.js";
import { parseRecord, type ReleaseRecord } from "./protector-record.js";

const { SIGHUP, SIGKILL, SIGSTOP } = system.signals;

/** A set of signals as /proc/<pid>/status has it: the lowest bit is signal 1. */
function signalSet(status: string, field: string): bigint {
  const text = parseStatusField(status, field) ?? "";
  return /^[0-9a-f]+$/.test(text) ? BigInt(`0x${text}`) : 0n;
}

const bit = (signal: number) => 1n << BigInt(signal - 1);

/** Not blocked by everybody: what cannot be, what QEMU's helper waits for, and what libc keeps for itself. */
const mayBeOpen = [SIGHUP, SIGKILL, SIGSTOP, 32, 33].map(bit).reduce((set, each) => set | each);
const allSignals = (1n << 64n) - 1n;

/** MOST_THREADS of native/helper/own.h: the most workers, and the thread for files. */
const mostHelperThreads = 65;

/**
 * Whether a process has done to itself what helpers and holders do, and hardly anybody else: it came by clone, never
 * exec'd, blocks every signal, and has one thread or a few.
 */
export function looksLikeProtector(stat: Stat, status: string): boolean {
  const blocked = signalSet(status, "SigBlk") | mayBeOpen;
  return stat.isForkWithoutExec && stat.threads <= mostHelperThreads && blocked === allSignals;
}

/** Only the helper of QEMU's own -async-teardown waits for a signal; util/async-teardown.c of QEMU. */
export function mechanismOf(status: string): "helper" | "qemu" {
  return (signalSet(status, "SigCgt") & bit(SIGHUP)) === 0n ? "helper" : "qemu";
}

/** Whether this user may see what a process has open; ptrace(2), PTRACE_MODE_READ. */
export function mayInspect({ descriptor }: ProcessDirectory): boolean {
  try {
    closeSync(openSync(`/proc/self/fd/${descriptor}/fd`, constants.O_RDONLY | constants.O_DIRECTORY));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "EACCES" && code !== "EPERM";
  }
}

/** A helper has four or five. */
const mostDescriptors = 32;

/** What native/helper/helper.c calls its memory file, as the kernel shows it. */
const recordName = "/memfd:async-teardown (deleted)";

/** The longest that a helper writes; native/common/text.h. */
const mostBytes = 512;

/** A helper's main thread shows nothing any more when it has ended, and another one still unmaps shared memory. */
function openFilesOf(directory: ProcessDirectory): { place: FilesOfThread; names: string[] } {
  const names = firstNamesIn(directory, "fd", mostDescriptors);
  const [thread] = names.length === 0 ? livingThreadsOf(directory) : [];
  if (thread === undefined) return { place: "fd", names };
  const place = `task/${thread}/fd` as const;
  return { place, names: firstNamesIn(directory, place, mostDescriptors) };
}

/** What a helper has written of its release; undefined before, or where it could make no memory file. */
export function releaseRecordOf(directory: ProcessDirectory): ReleaseRecord | undefined {
  const { place, names } = openFilesOf(directory);
  const descriptors = `/proc/self/fd/${directory.descriptor}/${place}`;

  try {
    const name = names.find((each) => readlinkSync(`${descriptors}/${each}`) === recordName);
    const words = name === undefined ? undefined : readMemoryFile(`${descriptors}/${name}`, mostBytes);
    const record = words && parseRecord(words.toString("latin1"));

    return record?.state === "releasing" ? record : undefined;
  } catch {
    return undefined; // it ended while we looked, or is about to
  }
}
