/** The parsers of native/, by test/support/parsers.c. */
import { createRequire } from "node:module";
import { toBuffer } from "../../src/linux/bytes.js";
import { program } from "./paths.js";

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

interface Parsers {
  shebang(start: Buffer): { interpreter: string; argument: string } | undefined;
  envArgument(argument: Buffer): string | undefined;
  elfHeader(start: Buffer): ElfHeader | undefined;
  size(word: Buffer): number;
  protection(value: Buffer): Protection | undefined;
}

const parsers = createRequire(import.meta.url)(program("parsers.node")) as Parsers;
const withNul = (text: string) => toBuffer(`${text}\0`);

export const parseShebang = (start: Buffer) => parsers.shebang(start);
export const parseElfHeader = (start: Buffer) => parsers.elfHeader(start);
export const commandOfEnv = (argument: string) => parsers.envArgument(withNul(argument));
export const parseSize = (word: string) => parsers.size(withNul(word));
export const parseProtection = (value: string) => parsers.protection(withNul(value));
