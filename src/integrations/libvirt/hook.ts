import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { AsyncTeardownError } from "../../errors.js";
import { builtFile } from "../../linux/native.js";
import { type FileState, replaceFile, seal, stateOfFile } from "../sealed-file.js";

/** libvirt runs every file in there, after hooks/qemu; https://libvirt.org/hooks.html. */
export const hookFile = "/etc/libvirt/hooks/qemu.d/async-teardown";

/** A word for sh, whatever is in it. */
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * libvirt waits for a hook, and for whoever has its standard error: all is done in the background, and nothing of
 * it can fail the start. It must not call libvirt, which waits for it.
 */
export function hookText(command: string): string {
  return seal(`#!/bin/sh
# Protects every domain that starts, by a holder. 'async-teardown libvirt hook remove' removes this file.
command=${quoted(command)}

[ "$2" = started ] && [ -x "$command" ] || exit 0
{
  # libvirt names the file as XML has the domain's name.
  name=$(printf %s "$1" | sed -e 's/&/\\&amp;/g' -e 's/</\\&lt;/g' -e 's/>/\\&gt;/g' -e 's/"/\\&quot;/g' -e "s/'/\\&apos;/g")
  pid_file=/run/libvirt/qemu/$name.pid
  if read -r pid <"$pid_file" || [ -n "$pid" ]; then # no line break is at its end
    said=$("$command" attach "$pid" 2>&1) && exit 0
  else
    said="not protected: $pid_file cannot be read"
  fi
  logger -t async-teardown "domain $1: $said"
} </dev/null >/dev/null 2>&1 &
exit 0
`);
}

function refuse(message: string, advice?: string, cause?: unknown): never {
  throw new AsyncTeardownError("ERR_HOOK", message, { advice, cause });
}

/** Does something to the file, and says what went wrong in our words. */
function attempt<Result>(doing: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof AsyncTeardownError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    return refuse(
      `could not ${doing} ${hookFile} (${code})`,
      code === "EACCES" || code === "EPERM" ? "only root may" : undefined,
      cause,
    );
  }
}

const stateOfHook = (): FileState => attempt("read", () => stateOfFile(hookFile));

/** Whether this libvirt runs what is in qemu.d: from 6.5 on. */
export function runsHookDirectory(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 5);
}

async function checkLibvirt(): Promise<void> {
  try {
    const { stdout } = await promisify(execFile)("virsh", ["--version"], { timeout: 10_000 });
    if (runsHookDirectory(stdout)) return;
    refuse(
      `libvirt ${stdout.trim()} runs no hooks in qemu.d, as 6.5 and later do`,
      "call 'async-teardown attach' in the background from /etc/libvirt/hooks/qemu",
    );
  } catch (error) {
    if (error instanceof AsyncTeardownError) throw error;
    refuse("there is no libvirt here: virsh cannot be run", "install libvirt first", error);
  }
}

/**
 * Has libvirt attach a holder to every domain that starts. Other hooks are not touched.
 * @returns whether it was not there yet
 * @throws AsyncTeardownError ERR_HOOK, ERR_NOT_BUILT, ERR_PLATFORM
 */
export async function installHook(): Promise<boolean> {
  const text = hookText(builtFile("async-teardown"));

  await checkLibvirt();
  const state = stateOfHook();

  if (state === "other")
    refuse(`${hookFile} is there, and is not what 'libvirt hook install' writes`, "move it away first");
  if (state === "ours" && readFileSync(hookFile, "utf8") === text) return false;
  attempt("write", () => {
    mkdirSync(dirname(hookFile), { recursive: true, mode: 0o755 });
    replaceFile(hookFile, text, 0o755);
  });
  return true;
}

/**
 * Takes the hook away. Domains that run stay protected.
 * @returns whether it was there
 * @throws AsyncTeardownError ERR_HOOK
 */
export function removeHook(): boolean {
  const state = stateOfHook();

  if (state === "missing") return false;
  if (state === "other")
    refuse(`${hookFile} was changed since it was installed, and is left as it is`, "remove it yourself");
  attempt("remove", () => unlinkSync(hookFile));
  return true;
}
