/** What /proc says of processes, for tests. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { compareAddressSpaces } from "../../src/linux/native.js";

/** The fields of /proc/<pid>/status. */
export function status(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(":\t", 2).map((word) => word.trim())));
}

export function isAlive(pid: number): boolean {
  try {
    return status(pid).State?.[0] !== "Z";
  } catch {
    return false;
  }
}

export function link(pid: number, name: string): string {
  return readlinkSync(`/proc/${pid}/${name}`);
}

/** The session of a process, or 0 where it is gone. */
export function sessionOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[3]);
  } catch {
    return 0;
  }
}

/** Bytes of memory in use. */
export function residentBytes(pid: number): number {
  return Number.parseInt(status(pid).VmRSS ?? "0", 10) * 1024;
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return ""; // it ended while we looked
  }
}

/** Those of another PID namespace name their targets by its numbers. */
function isInOtherNamespace(pid: string): boolean {
  try {
    return link(Number(pid), "ns/pid") !== link(process.pid, "ns/pid");
  } catch {
    return false; // a zombie, or somebody else's
  }
}

/** All processes named as helpers, dead ones that nobody reaped among them, by the targets that they name. */
export function helpersByTarget(): Map<number, number[]> {
  const helpers = new Map<number, number[]>();

  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const target = Number(/^cleanup\/(\d+)$/.exec(nameOf(entry))?.[1]);
    if (target && !isInOtherNamespace(entry))
      helpers.set(target, [...(helpers.get(target) ?? []), Number(entry)]);
  }
  return helpers;
}

export function helpersOf(pid: number): number[] {
  return helpersByTarget().get(pid) ?? [];
}

export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

/** The one living helper of this process; that of an image before an exec may take a moment to go. */
export function helperOf(pid: number): number {
  const living = helpersOf(pid).filter(isAlive);
  const helpers = living.filter((each) => living.length === 1 || compareAddressSpaces(each, pid) === true);
  if (helpers.length !== 1) throw new Error(`process ${pid} has ${helpers.length} helpers`);
  return helpers[0] as number;
}

function isHolder(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("async-teardown-holder\0");
  } catch {
    return false; // it ended while we looked
  }
}

/** The living holders of this process. */
export function holdersOf(pid: number): number[] {
  return helpersOf(pid).filter((each) => isAlive(each) && isHolder(each));
}

/** The one living holder of this process. */
export function holderOf(pid: number): number {
  const holders = holdersOf(pid);
  if (holders.length !== 1) throw new Error(`process ${pid} has ${holders.length} holders`);
  return holders[0] as number;
}

/** Whether a holder has a reader asleep in its read, and so an address space. */
export function isParked(holder: number): boolean {
  return readdirSync(`/proc/${holder}/task`).some(
    (thread) => readFileSync(`/proc/${holder}/task/${thread}/wchan`, "utf8") === "handle_userfault",
  );
}

/** Waits, at most half a minute, until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 30_000;

  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited half a minute in vain until ${what}`);
    await sleep(5);
  }
}

/** Kills a process that is no child of the tests while its helper stands still, which has the memory until it goes on. */
export async function killWhileHelperStands(pid: number): Promise<void> {
  try {
    const helper = helperOf(pid);

    await stop(helper);
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid), `process ${pid} is gone`);
    expect(isAlive(helper)).toBe(true);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "its memory is back");
  } finally {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
}

/** Waits until a value is the same for a fifth of a second: what a start has left to do is done. */
export async function settled<Value>(look: () => Value): Promise<Value> {
  const end = Date.now() + 30_000;

  for (let before = look(); ; ) {
    await sleep(200);
    const now = look();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    if (Date.now() > end) throw new Error(`waited half a minute in vain for rest: ${JSON.stringify(now)}`);
    before = now;
  }
}

/** Whether a process has begun to wait for the end of another. */
export function waitsForProcess(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => link(pid, `fd/${fd}`) === "anon_inode:[pidfd]");
  } catch {
    return false; // a descriptor was closed, or the process ended, while we looked
  }
}

function isStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => status(Number(thread)).State?.[0] === "T");
  } catch {
    return false; // it, or one of its threads, ended while we looked
  }
}

/** Returns when a process stands still. Until it has been on a CPU for that, one that was asleep counts as running. */
export async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until(() => isStopped(pid), `process ${pid} stands still`);
}

/**
 * Lets a stopped process go on for about a millisecond at a time, stops it again, and looks at it while all of its
 * threads stand still, until it has ended. On a busy machine a step may last longer, and there are fewer looks.
 */
export async function stepThrough<Seen>(pid: number, look: (pid: number) => Seen): Promise<Seen[]> {
  const seen: Seen[] = [];

  while (isAlive(pid)) {
    process.kill(pid, "SIGCONT");
    await sleep(1);
    process.kill(pid, "SIGSTOP");
    await until(() => isStopped(pid) || !isAlive(pid), `process ${pid} stands still`);
    if (isStopped(pid)) seen.push(look(pid));
  }
  return seen;
}
