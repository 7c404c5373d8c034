import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { AsyncTeardownError, type ErrorCode } from "../errors.js";
import { type Bytes, toBuffer, toText } from "../linux/bytes.js";
import {
  elfHeaderBytes,
  elfMachines,
  namesInterpreter,
  parseElfHeader,
  programHeaderBytes,
} from "../linux/elf.js";
import { hasFileCapabilities } from "../linux/native.js";
import { commandOfEnv, parseShebang, shebangBytes } from "../linux/shebang.js";
import { resolveCommand, type Surroundings } from "./resolve.js";

const deepestScript = 5; // interpreters that are scripts themselves; execve(2)

const shellOfUnknownFormats = "/bin/sh"; // execvp(3)

function refuse(code: ErrorCode, path: Bytes, why: string, cause?: unknown): never {
  throw new AsyncTeardownError(code, `'${toText(path)}' cannot be protected by a helper: ${why}`, {
    advice: "--best-effort (in the API: bestEffort) runs it unprotected",
    cause,
  });
}

function readAt(path: Bytes, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  const descriptor = openSync(toBuffer(path), "r");

  try {
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, position));
  } finally {
    closeSync(descriptor);
  }
}

function readStart(path: Bytes): Buffer {
  try {
    return readAt(path, 0, Math.max(elfHeaderBytes, shebangBytes));
  } catch (cause) {
    return refuse(
      "ERR_UNREADABLE",
      path,
      "it may be executed, but not read, so what it is cannot be seen",
      cause,
    );
  }
}

/** The loader ignores LD_PRELOAD where executing a file changes privileges (AT_SECURE); ld.so(8). */
function checkPrivileges(path: Bytes, file: Stats): void {
  const setUserId = (file.mode & 0o4000) !== 0 && file.uid !== process.getuid?.();
  // Without the group's execute bit, set-group-ID means mandatory locking; chmod(2).
  const setGroupId = (file.mode & 0o2010) === 0o2010 && file.gid !== process.getgid?.();

  if (setUserId || setGroupId)
    refuse(
      "ERR_SET_ID",
      path,
      `it is set-${setUserId ? "user" : "group"}-ID, and such programs ignore LD_PRELOAD`,
    );
  if (process.getuid?.() !== 0 && hasFileCapabilities(path))
    refuse("ERR_FILE_CAPABILITIES", path, "it has file capabilities, and such programs ignore LD_PRELOAD");
}

function checkElf(path: Bytes, start: Buffer): void {
  const header = parseElfHeader(start);

  if (!header) refuse("ERR_ARCHITECTURE", path, "its ELF header is cut short");
  if (!header.is64Bit)
    refuse("ERR_ARCHITECTURE", path, "it is a 32-bit program, which cannot load the 64-bit helper");
  if (header.machine !== elfMachines[process.arch])
    refuse("ERR_ARCHITECTURE", path, `it is built for another architecture (ELF machine ${header.machine})`);
  const { offset, entryBytes, count } = header.programHeaders;

  if (entryBytes !== programHeaderBytes || !Number.isSafeInteger(offset))
    refuse("ERR_ARCHITECTURE", path, "its ELF header is damaged");
  if (!namesInterpreter(readAt(path, offset, entryBytes * count), entryBytes))
    refuse("ERR_STATIC", path, "it is statically linked, so no loader runs that could load the helper");
  checkPrivileges(path, statSync(toBuffer(path)));
}

/** The program that a script's first line starts, and behind `#!/usr/bin/env` the one that env starts. */
function interpretersOf(start: Buffer, surroundings: Surroundings): Bytes[] {
  const shebang = parseShebang(start);

  if (!shebang) return [shellOfUnknownFormats];
  const { interpreter, argument } = shebang;
  const file = resolveCommand(interpreter.includes("/") ? interpreter : `./${interpreter}`, surroundings);
  const behindEnv =
    /(^|\/)env$/.test(interpreter) && argument !== undefined ? commandOfEnv(argument) : undefined;

  return behindEnv === undefined ? [file] : [file, resolveCommand(behindEnv, surroundings)];
}

/**
 * Makes sure that a helper can protect what executing this file starts; follows scripts to their
 * interpreter. Returns if so.
 * @throws AsyncTeardownError ERR_STATIC, ERR_SET_ID, ERR_FILE_CAPABILITIES, ERR_ARCHITECTURE,
 *   ERR_UNREADABLE; ERR_NOT_FOUND or ERR_NOT_EXECUTABLE for a script's interpreter
 */
export function checkProtectable(path: Bytes, surroundings: Surroundings, depth = 0): void {
  const start = readStart(path);

  if (start.toString("latin1", 0, 4) === "\x7fELF") {
    checkElf(path, start);
    return;
  }
  if (depth === deepestScript)
    throw new AsyncTeardownError(
      "ERR_NOT_EXECUTABLE",
      `'${toText(path)}': too many levels of script interpreters`,
    );
  for (const interpreter of interpretersOf(start, surroundings))
    checkProtectable(interpreter, surroundings, depth + 1);
}
