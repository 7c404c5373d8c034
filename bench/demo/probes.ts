import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { DemoError } from "./error.js";

/*
 * What /proc says of memory. All that is read while something is measured is read asynchronously, so
 * that an event is never late because of it.
 */

/** A line "Name:   123 kB", in bytes. */
function kilobyteLine(contents: string, name: string): number | undefined {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(contents)?.[1];

  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

export const pageBytes = kilobyteLine(readFileSync("/proc/self/smaps", "utf8"), "KernelPageSize") ?? 4096;

export async function systemMemory(): Promise<{ available: number; free: number }> {
  const contents = await readFile("/proc/meminfo", "utf8");

  return {
    available: kilobyteLine(contents, "MemAvailable") ?? 0,
    free: kilobyteLine(contents, "MemFree") ?? 0,
  };
}

/** A PID alone could come to mean another process. */
export interface Task {
  readonly pid: number;
  readonly startTime: string;
}

interface TaskState extends Task {
  /** 0 where the task is in exit: it may still free its memory then, but that is not shown. */
  readonly residentBytes: number;
}

/** The state of a process, from proc_pid_stat(5); undefined where it is gone. */
export async function stateOf(pid: number): Promise<TaskState | undefined> {
  try {
    const contents = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold spaces; the third field is the first behind it.
    const fields = contents.slice(contents.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => fields[number - 3] ?? "";

    // A zombie, which somebody has yet to wait for, has no memory any more.
    if (["Z", "X"].includes(field(3))) return undefined;
    return { pid, startTime: field(22), residentBytes: Number(field(24)) * pageBytes };
  } catch {
    return undefined;
  }
}

/** The state of this very task, not of a later one with its PID; undefined where it is gone. */
export async function stateOfTask({ pid, startTime }: Task): Promise<TaskState | undefined> {
  const state = await stateOf(pid);

  return state?.startTime === startTime ? state : undefined;
}

async function nameOf(pid: string): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/${pid}/comm`, "utf8")).trimEnd();
  } catch {
    return undefined;
  }
}

/** The helper of that process; QEMU's own has the same name. */
export async function helperOf(pid: number): Promise<Task> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || (await nameOf(entry)) !== `cleanup/${pid}`) continue;
    const helper = await stateOf(Number(entry));
    if (helper !== undefined) return helper;
  }
  throw new DemoError(`process ${pid} has no helper: nothing is named cleanup/${pid}`);
}

/** How much of a process's memory is in transparent huge pages, from 0 to 1. */
export async function shareOfHugePages(pid: number): Promise<number> {
  const contents = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const huge = kilobyteLine(contents, "AnonHugePages") ?? 0;

  return huge / (kilobyteLine(contents, "Anonymous") || 1);
}
