import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { execa, type Options } from "execa";
import { afterEach } from "vitest";
import { asyncTeardown, library, program } from "./paths.js";
import { helpersByTarget, isAlive, until } from "./proc.js";

/**
 * A command that starts protected by the library alone: env claims the protection, and execs it. Release options are
 * fields as ASYNC_TEARDOWN has them, each behind a slash.
 */
export function protect(words: readonly string[], options = ""): string[] {
  const fields = `pid:0000000000/ns:0000000000/strict:1${options}`;
  return ["env", `LD_PRELOAD=${library}`, `ASYNC_TEARDOWN=${fields}`, ...words];
}

/** The words that put the rest of a command under `async-teardown run`. */
export const run = [asyncTeardown, "run", "--"] as const;

export type Started = ChildProcess & { readonly pid: number };

const started: Started[] = [];

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone already
  }
}

afterEach(async () => {
  const children = started.splice(0);
  const byTarget = helpersByTarget();
  const helpers = children.flatMap(({ pid }) => byTarget.get(pid) ?? []);

  for (const child of children.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  for (const helper of helpers) kill(helper);
  await until(() => !helpers.some(isAlive), "the helpers are gone");
});

/** Starts a command that the test's end also ends, with its helpers. */
export function start(words: readonly string[], options: SpawnOptions = {}): Started {
  const [command = "", ...args] = words;
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });

  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  started.push(child as Started);
  return child as Started;
}

/** Starts a command and waits until it writes something, as programs here do when they are ready. */
export async function startReady(words: readonly string[], options: SpawnOptions = {}): Promise<Started> {
  const child = start(words, options);

  await Promise.race([
    once(child.stdout as NonNullable<typeof child.stdout>, "data"),
    once(child, "exit").then(([code, signal]) => {
      throw new Error(`${words.join(" ")} ended before it was ready: ${code ?? signal}`);
    }),
  ]);
  return child;
}

/** The hog of test/targets: so many bytes, and the way it is to end. */
export function hog(bytes: number, way: string, ...words: string[]): string[] {
  return [program("hog"), String(bytes), way, ...words];
}

/** How a child ended: its exit code or its signal. */
export async function ending(child: Started): Promise<number | NodeJS.Signals> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode ?? (child.signalCode as NodeJS.Signals);
}

/** Runs a command to its end; a failure of its is an answer, too. */
export async function runToEnd(words: readonly string[], options: Options = {}) {
  const [command = "", ...args] = words;
  const running = execa(command, args, { reject: false, timeout: 50_000, ...options });
  const { exitCode, signal, stdout, stderr } = await running;

  return { pid: running.pid as number, exitCode, signal, stdout: String(stdout), stderr: String(stderr) };
}
