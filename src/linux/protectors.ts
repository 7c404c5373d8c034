import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { type HolderRecord, holderName, parseRecord } from "./holder.js";
import { sharesAddressSpace } from "./native.js";
import { argumentsOf, closeProcess, openProcess, type ProcessDirectory, statusField } from "./procfs.js";

/** A process that protects another one. */
export interface Protector {
  readonly pid: number;
  readonly target: number;
  readonly mechanism: "helper" | "holder";
  /** What a holder says of itself. */
  readonly record?: HolderRecord;
}

/** Whether its target is dead; the target's PID may be another process's by now. */
export function isReleasing({ record }: Protector): boolean {
  return record?.state === "releasing";
}

export function holdersOf(protectors: readonly Protector[], pid: number): Protector[] {
  return protectors.filter(({ target, mechanism }) => target === pid && mechanism === "holder");
}

/** Helpers and holders bear the name cleanup/<pid of the target>. But anyone may. */
function claimedTarget(pid: string): number | undefined {
  try {
    const [, target] = /^cleanup\/(\d+)\n$/.exec(readFileSync(`/proc/${pid}/comm`, "utf8")) ?? [];
    return target === undefined ? undefined : Number(target);
  } catch {
    return undefined; // it ended while we looked
  }
}

/** Nobody can claim this who is not root, us, or the target's user. */
function isTrusted(directory: ProcessDirectory, target: number): boolean {
  const owner = statusField(directory, "Uid")?.split("\t")[0];
  const targetDirectory = openProcess(target);
  const owners = ["0", String(process.getuid?.())];

  if (targetDirectory) {
    owners.push(statusField(targetDirectory, "Uid")?.split("\t")[0] ?? "0");
    closeProcess(targetDirectory);
  }
  return owner !== undefined && owners.includes(owner);
}

/** Whether, and in what state, this process is a holder of the target. */
export function asHolder(directory: ProcessDirectory, target: number): Protector | undefined {
  const [program = "", held, , , words = ""] = argumentsOf(directory);
  const record = parseRecord(words);

  if (basename(program) !== holderName || held !== String(target) || !record) return undefined;
  return isTrusted(directory, target)
    ? { pid: directory.pid, target, mechanism: "holder", record }
    : undefined;
}

function identify(directory: ProcessDirectory, target: number): Protector | undefined {
  const holder = asHolder(directory, target);

  if (holder) return holder;
  return sharesAddressSpace(directory.pid, target)
    ? { pid: directory.pid, target, mechanism: "helper" }
    : undefined;
}

function allPids(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** The processes that bear the name of this one's helper or holder, whatever they are. */
export function claimantsOf(target: number): number[] {
  return allPids()
    .filter((pid) => claimedTarget(pid) === target)
    .map(Number);
}

/** All processes that protect another one, found by looking at the system. */
export function findProtectors(): Protector[] {
  const found: Protector[] = [];

  for (const pid of allPids()) {
    const target = claimedTarget(pid);
    const directory = target === undefined ? undefined : openProcess(Number(pid));

    if (target === undefined || !directory) continue;
    const protector = identify(directory, target);
    if (protector) found.push(protector);
    closeProcess(directory);
  }
  return found;
}
