import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { AsyncTeardownError } from "../../errors.js";

const run = promisify(execFile);

/** Longer than any answer of a systemd that works, in milliseconds. */
const longestAnswer = 60_000;

/** @throws AsyncTeardownError ERR_NO_SYSTEMD */
export function checkSystemd(isUser: boolean): void {
  const folder = isUser ? `${process.env.XDG_RUNTIME_DIR ?? ""}/systemd` : "/run/systemd/system"; // sd_booted(3)

  if (!existsSync(folder))
    throw new AsyncTeardownError(
      "ERR_NO_SYSTEMD",
      isUser ? "no systemd runs for this user" : "this system was not booted with systemd",
      {
        advice: isUser
          ? "log in, or set XDG_RUNTIME_DIR to the user's, as /run/user/1000"
          : "'async-teardown attach PID' protects a process without it",
      },
    );
}

/**
 * Runs systemctl(1), and gives what it wrote.
 * @throws AsyncTeardownError ERR_NO_SYSTEMD, ERR_NOT_PERMITTED, ERR_SYSTEMCTL
 */
export async function systemctl(isUser: boolean, ...words: string[]): Promise<string> {
  const manager = isUser ? ["--user"] : [];

  try {
    const all = [...manager, "--no-pager", "--no-ask-password", ...words];
    return (await run("systemctl", all, { timeout: longestAnswer })).stdout;
  } catch (cause) {
    const { code, stderr = "" } = cause as { code?: unknown; stderr?: string };
    const said = stderr.trim().split("\n")[0] || String((cause as Error).message);

    if (code === "ENOENT")
      throw new AsyncTeardownError("ERR_NO_SYSTEMD", "there is no systemctl in PATH", { cause });
    throw new AsyncTeardownError("ERR_SYSTEMCTL", `systemctl ${words.join(" ")} failed: ${said}`, { cause });
  }
}

/** What `systemctl show` prints: a line "Name=value" each. */
export function parseProperties(text: string): Map<string, string> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** A service as its systemd has it now. */
export interface Service {
  /** Its own name, where an alias was given. */
  readonly id: string;
  readonly loadState: string;
  readonly isActive: boolean;
  readonly isTransient: boolean;
  /** 0 where it has none. */
  readonly mainPid: number;
  /** The path in the tree of cgroups; "" where it has none. */
  readonly cgroup: string;
}

export async function showService(isUser: boolean, name: string): Promise<Service> {
  const names = ["Id", "LoadState", "ActiveState", "Transient", "MainPID", "ControlGroup"];
  const text = await systemctl(isUser, "show", `--property=${names.join(",")}`, "--", name);
  const properties = parseProperties(text);
  const value = (property: string) => properties.get(property) ?? "";

  return {
    id: value("Id") || name,
    loadState: value("LoadState"),
    isActive: value("ActiveState") !== "inactive" && value("ActiveState") !== "failed",
    isTransient: value("Transient") === "yes",
    mainPid: Number(value("MainPID")) || 0,
    cgroup: value("ControlGroup"),
  };
}

/** The first word of each line, as of `systemctl list-units --plain --no-legend`. */
export async function listUnits(isUser: boolean, ...patterns: string[]): Promise<string[]> {
  const text = await systemctl(isUser, "list-units", "--plain", "--no-legend", "--", ...patterns);
  return text.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []);
}
