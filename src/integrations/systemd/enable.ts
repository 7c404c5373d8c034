import { lstatSync, mkdirSync, readFileSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { AsyncTeardownError } from "../../errors.js";
import { replaceFile, stateOfFile } from "../sealed-file.js";
import { findService } from "./service.js";
import { checkSystemd, systemctl } from "./systemctl.js";
import {
  dropInPath,
  dropInText,
  holdUnit,
  type Scope,
  templatePath,
  templateText,
  unitFolder,
} from "./unit-files.js";

export interface EnableOptions extends Scope {
  /** Also hold what runs now. */
  readonly isNow: boolean;
  /** Change nothing, and tell what would be done. */
  readonly isDryRun: boolean;
}

interface FileChange {
  readonly path: string;
  readonly text: string;
}

/** What was done, or would be: files, and words for systemctl(1). */
export interface Enabled {
  readonly service: string;
  readonly files: readonly FileChange[];
  readonly commands: readonly (readonly string[])[];
}

/** @throws AsyncTeardownError ERR_CHANGED, ERR_NOT_PERMITTED */
export function checkOurs(path: string): void {
  if (stateOfFile(path) === "other")
    throw new AsyncTeardownError(
      "ERR_CHANGED",
      `${path} is not as this tool wrote it: somebody else changed or made it`,
      { advice: "it is left alone; remove or rename it, then try again" },
    );
}

function isAsWanted({ path, text }: FileChange): boolean {
  checkOurs(path);
  return stateOfFile(path) === "ours" && readFileSync(path, "utf8") === text;
}

/** Makes the folder of drop-ins; a link in its place would lead elsewhere. */
function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (!lstatSync(folder).isDirectory())
    throw new AsyncTeardownError("ERR_CHANGED", `${folder} is no folder, but perhaps a link to one`, {
      advice: "it is left alone; make it a folder, then try again",
    });
}

export function permissionError(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException;

  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS" && code !== "ENOSPC") return error;
  // The file that could not be made has a name that nobody knows.
  const place = path?.endsWith("~") ? dirname(path) : (path ?? "the folder of units");
  const why = `${place} cannot be written (${code})`;
  return new AsyncTeardownError("ERR_NOT_PERMITTED", why, {
    advice:
      code === "EROFS" || code === "ENOSPC"
        ? "--runtime writes to /run instead"
        : "run it as root, or for a service of your own with --user",
    cause: error,
  });
}

/** What was there before, to be put back. */
type Undo = () => void;

function writeFile({ path, text }: FileChange): Undo {
  const before = stateOfFile(path) === "ours" ? readFileSync(path, "utf8") : undefined;

  makeFolder(dirname(path));
  try {
    replaceFile(path, text);
  } catch (error) {
    removeIfEmpty(dirname(path));
    throw error;
  }
  return () => {
    if (before !== undefined) return replaceFile(path, before);
    unlinkSync(path);
    removeIfEmpty(dirname(path));
  };
}

/** A folder of drop-ins without a drop-in is nobody's. */
export function removeIfEmpty(folder: string): void {
  if (!folder.endsWith(".d")) return;
  try {
    rmdirSync(folder);
  } catch {
    // somebody else's files are in it
  }
}

/** Writes all, and lets systemd read them; or puts everything back. */
async function apply(files: readonly FileChange[], isUser: boolean): Promise<void> {
  const undo: Undo[] = [];

  try {
    for (const file of files) undo.unshift(writeFile(file));
    await systemctl(isUser, "daemon-reload");
  } catch (error) {
    for (const each of undo) each();
    throw permissionError(error);
  }
}

/**
 * Protects a service from its next start on, and from now on where asked for.
 * @param program the words that start this tool
 * @throws AsyncTeardownError ERR_NO_SYSTEMD, ERR_UNIT, ERR_CHANGED, ERR_NOT_PERMITTED, ERR_SYSTEMCTL
 */
export async function enable(
  word: string,
  options: EnableOptions,
  program: readonly string[],
): Promise<Enabled> {
  const { isUser, isNow, isDryRun } = options;
  checkSystemd(isUser);
  const { service, running } = await findService(isUser, word);
  const folder = unitFolder(options);
  const wanted = [
    { path: templatePath(folder), text: templateText(program, options) },
    { path: dropInPath(folder, service), text: dropInText },
  ];
  const files = wanted.filter((file) => !isAsWanted(file));
  const starts = isNow ? running.map((unit) => ["start", "--no-block", "--", holdUnit(unit)]) : [];
  const commands = [...(files.length > 0 ? [["daemon-reload"]] : []), ...starts];

  if (isDryRun) return { service, files, commands };
  if (files.length > 0) await apply(files, isUser);
  for (const words of starts) await systemctl(isUser, ...words);
  return { service, files, commands };
}
