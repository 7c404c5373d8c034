import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { AsyncTeardownError } from "../../errors.js";
import { parseCgroups } from "../../linux/cgroup.js";
import { cgroupsTextOf, closeProcess, openProcess } from "../../linux/procfs.js";

const prefix = "async-teardown-";
/** Not async-teardown.slice: a dash would mean a slice within a slice "async"; systemd.slice(5). */
export const holdSlice = "teardown.slice";
const longestStem = 180;

export const isHoldScope = (unit: string | null | undefined): boolean =>
  typeof unit === "string" && unit.startsWith(prefix) && unit.endsWith(".scope");

/** A scope for the holders of one start of a service, open for as long as its keeper lives. */
export interface HoldScope {
  /** Its path in the tree of cgroups. */
  readonly cgroup: string;
  /** From now on it lasts as long as the holders in it. */
  close(): Promise<void>;
}

function scopeName(service: string): string {
  const stem = service
    .replace(/\.service$/, "")
    .replaceAll("@", ":")
    .slice(0, longestStem);
  return `${prefix}${stem}-${randomBytes(4).toString("hex")}.scope`;
}

/** systemd gives a cgroup to a process, so one has to be in it until the holders are: cat(1), which echoes. */
function keeperWords(service: string, isUser: boolean): string[] {
  return [
    ...(isUser ? ["--user"] : []),
    ...["--scope", "--quiet", "--collect", `--unit=${scopeName(service)}`],
    ...[`--slice=${holdSlice}`, `--description=Holds the memory of ${service}`],
    "--property=KillSignal=SIGKILL",
    "cat",
  ];
}

function cgroupOf(pid: number): string | undefined {
  const directory = openProcess(pid);

  if (!directory) return undefined;
  try {
    const cgroups = parseCgroups(cgroupsTextOf(directory));
    return cgroups.get("") ?? cgroups.get("name=systemd");
  } finally {
    closeProcess(directory);
  }
}

/** @throws AsyncTeardownError ERR_SYSTEMCTL where systemd gives none */
export async function openHoldScope(service: string, isUser: boolean): Promise<HoldScope> {
  const keeper = spawn("systemd-run", keeperWords(service, isUser), { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(keeper, "exit").catch(() => {});

  keeper.stdin.on("error", () => {}); // it has ended
  keeper.stdin.write("\n");
  const isUp = await Promise.race([once(keeper.stdout, "data").then(() => true), ended.then(() => false)]);
  const cgroup = isUp && keeper.pid !== undefined ? cgroupOf(keeper.pid) : undefined;

  if (cgroup === undefined)
    throw new AsyncTeardownError("ERR_SYSTEMCTL", "systemd-run gave no scope for the holders");
  return {
    cgroup,
    async close() {
      keeper.stdin.end();
      await ended;
    },
  };
}
