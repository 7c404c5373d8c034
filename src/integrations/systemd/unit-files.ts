import { homedir } from "node:os";
import { seal } from "../sealed-file.js";

/** Whose systemd, and for how long. */
export interface Scope {
  /** The user's own manager, not the system's. */
  readonly isUser: boolean;
  /** Until the next boot. */
  readonly isRuntime: boolean;
}

/** Where units are written, as systemctl(1) does; systemd.unit(5). */
export function unitFolder({ isUser, isRuntime }: Scope): string {
  const { XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = process.env;

  if (!isUser) return isRuntime ? "/run/systemd/system" : "/etc/systemd/system";
  if (isRuntime) return `${XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`}/systemd/user`;
  return `${XDG_CONFIG_HOME || `${homedir()}/.config`}/systemd/user`;
}

const dropInName = "50-async-teardown.conf";
export const holdTemplate = "async-teardown-hold@.service";

export const dropInPath = (folder: string, service: string) => `${folder}/${service}.d/${dropInName}`;
export const templatePath = (folder: string) => `${folder}/${holdTemplate}`;
export const holdUnit = (service: string) => `async-teardown-hold@${service}.service`;

/**
 * Each start of the service asks for its hold unit, which waits until the service is up. Nothing of ours runs
 * in the service, and nothing of the service waits for us; Wants= in systemd.unit(5).
 */
export const dropInText: string = seal(`[Unit]
Wants=async-teardown-hold@%n.service
`);

/** A word of a command line, as systemd.syntax(7) and systemd.service(5) read it. */
const quote = (word: string) => `"${word.replace(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`;

/**
 * The hold unit. PartOf= restarts it with the service: a hold that is still under way for the last start must
 * not stand for the new one. The holders are not in it, but in a scope of their own.
 * @param program the words that start this tool
 */
export function templateText(program: readonly string[], { isUser }: Scope): string {
  const words = [...program, "systemd", "hold", ...(isUser ? ["--user"] : [])].map(quote).join(" ");

  return seal(`[Unit]
Description=Hold the memory of %i
After=%i
PartOf=%i
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=:${words} %i
# What cannot be held is a line in the journal, not a failed unit.
SuccessExitStatus=125
SyslogIdentifier=async-teardown
KillSignal=SIGKILL
TimeoutStartSec=1min
`);
}
