import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { AsyncTeardownError, type ErrorCode } from "../../errors.js";

/** How libvirt is reached: its URI, or libvirt's own choice; virsh(1). */
export interface Connection {
  readonly uri?: string | undefined;
}

/** The longest that virsh may take, in milliseconds. The first look at a QEMU may need half a minute. */
const longest = 180_000;

/** What virsh says went wrong, in one line. */
export function complaintOf(stderr: string): string {
  return stderr
    .split("\n")
    .map((line) => line.replace(/^error: /, "").trim())
    .filter((line) => line !== "")
    .join(": ");
}

/** One call of virsh. */
export interface Call {
  readonly words: readonly string[];
  /** What it is for, as "could not …" goes on. */
  readonly doing: string;
  /** What its failure means. */
  readonly code?: ErrorCode;
  /** What it reads as /dev/stdin. */
  readonly input?: string;
}

/**
 * A file without a name, as virsh cannot open a pipe of Node.js's by its name in /dev. Nobody else sees what is in
 * it, which may be a password, and nothing is left of it however we end.
 */
function openInput(input: string): number {
  const path = `${tmpdir()}/async-teardown-${randomUUID()}`;
  const descriptor = openSync(path, "wx+", 0o600);

  unlinkSync(path);
  writeSync(descriptor, input);
  return descriptor;
}

interface Ending {
  readonly exitCode: number | null;
  readonly isTooLate: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(words: readonly string[], stdin: number | "ignore"): Promise<Ending> {
  const child = spawn("virsh", words, {
    env: { ...process.env, LC_ALL: "C" },
    stdio: [stdin, "pipe", "pipe"],
    timeout: longest,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout as NonNullable<typeof child.stdout>),
    text(child.stderr as NonNullable<typeof child.stderr>),
    once(child, "close") as Promise<[number | null]>,
  ]);

  return { exitCode, isTooLate: child.killed, stdout, stderr };
}

async function runWith(words: readonly string[], input: string | undefined): Promise<Ending> {
  const stdin = input === undefined ? "ignore" : openInput(input);

  try {
    return await run(words, stdin);
  } catch (cause) {
    throw new AsyncTeardownError(
      "ERR_LIBVIRT",
      `virsh cannot be run (${(cause as NodeJS.ErrnoException).code})`,
      { advice: "install libvirt's clients (on Debian: apt-get install libvirt-clients)", cause },
    );
  } finally {
    if (stdin !== "ignore") closeSync(stdin);
  }
}

/**
 * Runs virsh, and gives what it writes.
 * @throws AsyncTeardownError ERR_LIBVIRT or the call's code, ERR_TIMEOUT
 */
export async function virsh(
  { uri }: Connection,
  { words, doing, code = "ERR_LIBVIRT", input }: Call,
): Promise<string> {
  const connect = uri === undefined ? [] : [`--connect=${uri}`];
  const { exitCode, isTooLate, stdout, stderr } = await runWith([...connect, ...words], input);

  if (exitCode === 0) return stdout;
  if (isTooLate)
    throw new AsyncTeardownError("ERR_TIMEOUT", `libvirt needed more than ${longest / 1000} s to ${doing}`, {
      advice: "does its daemon hang?",
    });
  throw new AsyncTeardownError(
    code,
    `libvirt could not ${doing}: ${complaintOf(stderr) || `virsh ended with ${exitCode}`}`,
  );
}
