/** The readers of native/, under AddressSanitizer and UBSan: test/support/readers.c. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { toBuffer } from "../../src/linux/bytes.js";
import { program } from "./paths.js";
import { environment } from "./reader-sources.js";

export interface ElfHeader {
  is64Bit: number;
  machine: number;
  offset: number;
  entryBytes: number;
  count: number;
}

export interface Protection {
  pid: number;
  namespace: number;
  strict: number;
  forks: number;
  workers: number;
  rate: number;
  priority: number;
  /** From the first field that is not understood, to the end. */
  unknown?: string;
  /** The same, as the native part writes it. */
  written: string;
  /** The text after this process has claimed it. */
  claimed: string;
}

export interface Mapping {
  start: number;
  end: number;
  isPrivateMemory: number;
  isWrittenBack: number;
  inode: number;
}

/** One process that answers one after the other, for all tests of a file. */
let answers: AsyncIterator<string> | undefined;
let child: ChildProcess | undefined;
let report = "";
let last: Promise<unknown> = Promise.resolve();

function start(): ChildProcess {
  const started = spawn(program("readers"), { env: { ...process.env, ...environment } });
  const { stdout, stderr, stdin } = started;

  stdin.on("error", () => {}); // it has died: the answer says so
  stderr.setEncoding("utf8").on("data", (text: string) => {
    report += text;
  });
  answers = createInterface(stdout)[Symbol.asyncIterator]();
  return started;
}

async function askNext(reader: string, bytes: Buffer): Promise<unknown> {
  child ??= start();
  child.stdin?.write(Buffer.concat([Buffer.from(`${reader} ${bytes.length}\n`), bytes]));
  const answer = await answers?.next();

  if (answer?.done !== false) {
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child?.once("close", resolve));
    child = undefined;
    throw new Error(
      `the reader '${reader}' failed for ${JSON.stringify(bytes.toString("latin1"))}:\n${report}`,
    );
  }
  return JSON.parse(answer.value);
}

/** What a reader makes of the bytes. */
export function ask(reader: string, bytes: Buffer): Promise<unknown> {
  const answer = last.then(() => askNext(reader, bytes));
  last = answer.catch(() => {});
  return answer;
}

/** The process that reads, which claims what is meant for whoever comes first. */
export const readersPid = () => child?.pid;

/** To be called after the last test of a file. */
export function stopReaders(): void {
  child?.stdin?.end();
  child = undefined;
}

const askText = <Answer>(reader: string, text: string) =>
  ask(reader, toBuffer(text)) as Promise<Answer | null>;

export const parseShebang = (start: Buffer) =>
  ask("shebang", start) as Promise<{ interpreter: string; argument: string } | null>;
export const parseElfHeader = (start: Buffer) => ask("elf-header", start) as Promise<ElfHeader | null>;
export const examine = (file: Buffer) =>
  ask("executable", file) as Promise<{ kind: number; isAsan: number; code: string }>;
export const commandOfEnv = (argument: string) => askText<string>("env-argument", argument);
export const parseSize = (word: string) => askText<number>("size", word) as Promise<number>;
export const parseProtection = (value: string) => askText<Protection>("protection", value);
export const saysDead = async (stat: string) => (await askText<number>("stat", stat)) === 1;
export const parseMaps = (maps: string) => askText<Mapping[]>("maps", maps) as Promise<Mapping[]>;
export const parseStatus = (status: string) =>
  askText("status", status) as Promise<{
    state: string;
    hasMemory: number;
    bytes: number;
    anonymousBytes: number;
    swappedBytes: number;
  }>;
/** What of these digits is a number, and how large, if it is at most so large; and what is behind. */
export const parseNumber = (digits: string, most: number) =>
  ask("number", Buffer.concat([Buffer.of(most), toBuffer(digits)])) as Promise<{
    number: number;
    rest: string;
  }>;
/** What a QEMU's command line says of teardown, and what is left of it; its first word is the QEMU. */
export const parseQemu = (words: readonly string[]) =>
  askText("qemu", words.map((word) => `${word}\0`).join("")) as Promise<{
    on: number;
    off: number;
    daemonize: number;
    words: string[];
  }>;
/** What workers get, each after the other, of which node's memory; hand_out_pieces of readers.c has the words. */
export const handOutPieces = (nodes: string, turns: string, maps: string) =>
  askText("pieces", `${nodes}\0${turns}\0${maps}\0`) as Promise<
    { node: number; start: number; end: number }[]
  >;
/** What a holder writes into its arguments, and a helper into its record. */
export const writeRecords = (room: string) =>
  askText("argv-record", room) as Promise<{ argv: string; told: string }>;
