import { accessSync, constants, statSync } from "node:fs";
import { AsyncTeardownError } from "../errors.js";
import { type Bytes, toBuffer, toText } from "../linux/bytes.js";

/** Where a command is looked for. */
export interface Surroundings {
  /** The value of PATH; undefined where it is not set. */
  readonly path: Bytes | undefined;
  /** The directory that relative names start from; undefined where it is this process's own. */
  readonly directory?: Bytes;
}

const pathWhereNoneIsSet = "/bin:/usr/bin"; // execvp(3), musl and glibc alike

type Verdict = "executable" | "absent" | "out of reach" | "forbidden" | "directory";

function judge(path: Bytes): Verdict {
  try {
    const file = statSync(toBuffer(path));
    if (file.isDirectory()) return "directory";
    if (!file.isFile()) return "forbidden"; // a FIFO would have us wait for a writer
  } catch (error) {
    // In PATH, a directory that may not be searched is one without the command.
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "out of reach" : "absent";
  }
  try {
    accessSync(toBuffer(path), constants.X_OK);
    return "executable";
  } catch {
    return "forbidden";
  }
}

function candidates(command: Bytes, { path, directory }: Surroundings): Bytes[] {
  if (command === "") return [];
  const names = command.includes("/")
    ? [command]
    : (path ?? pathWhereNoneIsSet)
        .split(":")
        .map((folder) => (folder === "" ? command : `${folder}/${command}`));

  return names.map((name) =>
    directory === undefined || name.startsWith("/") ? name : `${directory}/${name}`,
  );
}

/**
 * Finds the file that a shell would execute for this command: as it stands where it has a slash, else
 * the first executable one in PATH.
 * @throws AsyncTeardownError ERR_NOT_FOUND, ERR_NOT_EXECUTABLE
 */
export function resolveCommand(command: Bytes, surroundings: Surroundings): Bytes {
  let found: Verdict = "absent";

  for (const candidate of candidates(command, surroundings)) {
    const verdict = judge(candidate);
    if (verdict === "executable") return candidate;
    if (verdict === "forbidden" || verdict === "directory") found = verdict;
    else if (verdict === "out of reach" && command.includes("/")) found = "forbidden";
  }
  const name = `'${toText(command)}'`;

  if (found === "absent") throw new AsyncTeardownError("ERR_NOT_FOUND", `${name}: command not found`);
  if (found === "directory") throw new AsyncTeardownError("ERR_NOT_EXECUTABLE", `${name} is a directory`);
  throw new AsyncTeardownError("ERR_NOT_EXECUTABLE", `${name}: permission denied`);
}
