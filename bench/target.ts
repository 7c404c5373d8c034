/* A target for what has to be done meanwhile, and its helper. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { list } from "async-teardown";
import { compile } from "./programs.js";

const kinds = compile("test/targets/kinds.c");

/** Starts a target with so many bytes in 4 KiB pages, under the words that protect it. */
export async function startKinds(bytes: number, prefix: readonly string[]): Promise<ChildProcess> {
  const child = spawn("env", [...prefix, kinds, "small", String(bytes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  return child;
}

export const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, "utf8");
export const numberIn = (text: string, name: string) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);

/** Whether a process is dead; a slow init may leave it there for a while. */
export function isDead(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(statusOf(pid));
  } catch {
    return true;
  }
}

export async function helperOf(pid: number): Promise<number> {
  const { addressSpaces } = await list();
  return addressSpaces.find(({ target }) => target === pid)?.protectors[0]?.pid as number;
}
