import { closeSync, constants, opendirSync, openSync, readFileSync } from "node:fs";
import { AsyncTeardownError } from "../errors.js";
import { type Owner, parseOwner } from "./owner.js";

/** What proc_pid_stat(5) says of a process, as far as it is of use here. */
export interface Stat {
  /** Its name, at most 15 bytes. */
  readonly name: string;
  /** "R", "S", "Z" and so on. */
  readonly state: string;
  readonly isKernelThread: boolean;
  /** On its way out: its main thread, at least, has let go of its address space, or is about to. */
  readonly isExiting: boolean;
  /** Made by a fork or clone, and without an exec since. */
  readonly isForkWithoutExec: boolean;
  readonly threads: number;
  /** When it started: clock ticks since the machine's boot. */
  readonly startTime: number;
}

/** USER_HZ is 100 on all that we serve; sysconf(3). */
export const millisecondsPerTick = 10;

/** PF_EXITING, PF_FORKNOEXEC and PF_KTHREAD of include/linux/sched.h. */
const flag = { exiting: 0x4, forkNoExec: 0x40, kernelThread: 0x200000 } as const;

/** Reads the text of /proc/<pid>/stat; undefined where it is none. */
export function parseStat(text: string): Stat | undefined {
  // The name may hold anything, parentheses and line breaks too; what is behind it does not.
  const [, name, state, rest = ""] = /^\d+ \((.*)\) (\S) (.*)/s.exec(text) ?? [];
  const fields = rest.split(" ").map(Number);
  const [flags, threads, startTime] = [fields[5], fields[16], fields[18]]; // the 9th, 20th and 22nd of all

  if (name === undefined || state === undefined) return undefined;
  if (flags === undefined || threads === undefined || startTime === undefined) return undefined;
  if (![flags, threads, startTime].every(Number.isSafeInteger)) return undefined;
  return {
    name,
    state,
    isKernelThread: (flags & flag.kernelThread) !== 0,
    isExiting: (flags & flag.exiting) !== 0,
    isForkWithoutExec: (flags & flag.forkNoExec) !== 0,
    threads,
    startTime,
  };
}

/** The value of a field of /proc/<pid>/status, without what is around it; proc_pid_status(5). */
export function parseStatusField(text: string, field: string): string | undefined {
  const start = `${field}:`;
  return text
    .split("\n")
    .find((line) => line.startsWith(start))
    ?.slice(start.length)
    .trim();
}

/**
 * An open /proc/<pid>. All that is read through it is of that one process: when it is gone, nothing can
 * be read any more, also where another one has its number.
 */
export interface ProcessDirectory {
  readonly pid: number;
  readonly descriptor: number;
}

/**
 * Makes sure that /proc is that of this PID namespace: in another one, its numbers are other processes.
 * @throws AsyncTeardownError ERR_NO_PROC
 */
export function checkProc(): void {
  const [own] = readProc("self/stat")?.toString("latin1").split(" ") ?? [];

  if (own !== String(process.pid))
    throw new AsyncTeardownError("ERR_NO_PROC", "/proc is not mounted, or is another PID namespace's", {
      advice: "mount the one of this namespace, as 'unshare --mount-proc' does",
    });
}

function readProc(file: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${file}`);
  } catch {
    return undefined;
  }
}

/** Opens the directory of a process; undefined where there is none, or none that may be seen. */
export function openProcess(pid: number): ProcessDirectory | undefined {
  try {
    const { O_RDONLY, O_DIRECTORY } = constants;
    return { pid, descriptor: openSync(`/proc/${pid}`, O_RDONLY | O_DIRECTORY) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EMFILE" || code === "ENFILE") throw error; // the process may well be there
    return undefined;
  }
}

export function closeProcess({ descriptor }: ProcessDirectory): void {
  closeSync(descriptor);
}

/**
 * What the kernel makes up without asking the process, its memory, or a file of its. None of it is larger than a list
 * of groups. What is in its memory (cmdline, environ) is not read so, because it can keep the reader waiting: command-line.ts.
 */
type HarmlessFile = "stat" | "status" | "cgroup" | "comm" | `task/${string}/${"stat" | "status"}`;

/** A file of the directory; undefined where the process is gone, or it may not be read. */
function contentsOf({ descriptor }: ProcessDirectory, name: HarmlessFile): Buffer | undefined {
  return readProc(`self/fd/${descriptor}/${name}`);
}

export function statOf(directory: ProcessDirectory): Stat | undefined {
  return parseStat(contentsOf(directory, "stat")?.toString("latin1") ?? "");
}

/** The same of one of its threads. */
export function threadStatOf(directory: ProcessDirectory, thread: string): Stat | undefined {
  return parseStat(contentsOf(directory, `task/${thread}/stat`)?.toString("latin1") ?? "");
}

/** What /proc/<pid>/status says, for parseStatusField, or nothing. */
export function statusTextOf(directory: ProcessDirectory): string {
  return contentsOf(directory, "status")?.toString("latin1") ?? "";
}

export function statusField(directory: ProcessDirectory, field: string): string | undefined {
  return parseStatusField(statusTextOf(directory), field);
}

/** Bytes in memory, huge pages included; undefined where it has no address space, or none any more. */
export function parseResident(status: string): number | undefined {
  const [resident, huge = "0"] = ["VmRSS", "HugetlbPages"].map((field) => parseStatusField(status, field));

  return resident === undefined
    ? undefined
    : (Number.parseInt(resident, 10) + Number.parseInt(huge, 10)) * 1024;
}

/**
 * The user that a process belongs to; undefined where it is gone, or where there are several: a set-user-ID program
 * is neither its caller's nor its file's.
 */
export function userOf(directory: ProcessDirectory): string | undefined {
  const [real, ...others] = statusField(directory, "Uid")?.split("\t") ?? [];
  return others.every((each) => each === real) ? real : undefined;
}

/** Where /proc shows what a process has open, by its main thread or by another one. */
export type FilesOfThread = "fd" | `task/${string}/fd`;

/** The first names in a directory of a process, which its owner can fill with a million; none where it is gone. */
export function firstNamesIn(
  { descriptor }: ProcessDirectory,
  name: "task" | FilesOfThread,
  most: number,
): string[] {
  try {
    const directory = opendirSync(`/proc/self/fd/${descriptor}/${name}`);

    try {
      const names: string[] = [];
      for (let entry = directory.readSync(); entry && names.length < most; entry = directory.readSync())
        names.push(entry.name);
      return names;
    } finally {
      directory.closeSync();
    }
  } catch {
    return [];
  }
}

/** So many threads are looked at of those that a process whose main one has ended may have. */
const mostThreadsSeen = 64;

/** The threads that go on, of a process whose main one has ended. */
export function livingThreadsOf(directory: ProcessDirectory): string[] {
  return firstNamesIn(directory, "task", mostThreadsSeen).filter(
    (thread) => threadStatOf(directory, thread)?.isExiting === false,
  );
}

/** What status says of a process by a thread that has its memory still. */
function statusWithMemoryOf(pid: number): string {
  const status = readProc(`${pid}/status`)?.toString("latin1") ?? "";

  if (parseResident(status) !== undefined || Number(parseStatusField(status, "Threads") ?? 0) <= 1)
    return status;
  const directory = openProcess(pid);

  if (!directory) return status;
  try {
    const statuses = livingThreadsOf(directory).map(
      (thread) => contentsOf(directory, `task/${thread}/status`)?.toString("latin1") ?? "",
    );
    return statuses.find((each) => parseResident(each) !== undefined) ?? status;
  } finally {
    closeProcess(directory);
  }
}

/** Bytes that a process has in memory, as parseResident. */
export function residentOf(pid: number): number | undefined {
  return parseResident(statusWithMemoryOf(pid));
}

/** What of a process's memory is its own, and what others may have as well. */
export interface ProcessMemory {
  readonly ownBytes: number;
  readonly sharedBytes: number;
}

/** Files and shared memory are shared, anonymous memory and huge pages are not; undefined where the process is gone. */
export function memoryOf(pid: number): ProcessMemory | undefined {
  const status = statusWithMemoryOf(pid);
  const bytes = (field: string) => Number.parseInt(parseStatusField(status, field) ?? "0", 10) * 1024;
  const resident = parseResident(status);
  const sharedBytes = bytes("RssShmem") + bytes("RssFile");

  return resident === undefined ? undefined : { ownBytes: resident - sharedBytes, sharedBytes };
}

/** For whom a process runs; undefined where it is gone. */
export function ownerOfProcess(pid: number): Owner | undefined {
  const text = readProc(`${pid}/cgroup`)?.toString("utf8");
  return text === undefined ? undefined : parseOwner(text);
}

/** What /proc/<pid>/cgroup says, or nothing. */
export function cgroupsTextOf(directory: ProcessDirectory): string {
  return contentsOf(directory, "cgroup")?.toString("utf8") ?? "";
}

/** Whether it is dead, and only its parent's wait is left. A main thread may end before the others. */
export function isOver({ state, threads }: Stat): boolean {
  return (state === "Z" || state === "X") && threads <= 1;
}

export function hasEnded(directory: ProcessDirectory): boolean {
  const stat = statOf(directory);
  return stat === undefined || isOver(stat);
}
