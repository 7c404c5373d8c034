/** A whole real systemd, PID 1 of its own namespaces, for tests: see systemd/boot.sh. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll } from "vitest";
import { parseCgroupMounts } from "../../src/linux/cgroup.js";
import { root } from "./paths.js";

const program = "/lib/systemd/systemd";

/** What a command inside came to. */
export interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Systemd {
  /** Runs a command inside to its end, as root; a failure of its is an answer, too. */
  run(...words: string[]): Promise<Ran>;
  /** The same, and its output; throws where it fails. */
  output(...words: string[]): Promise<string>;
  /** Writes a file inside; what is outside stays as it is. */
  write(path: string, text: string): void;
  /** Copies files to a folder inside, where every user may read and execute them. */
  install(folder: string, ...files: string[]): Promise<void>;
  /** The names of the processes in a service's cgroup, sorted, with N for a PID. */
  processNames(service: string): Promise<string[]>;
  /** The path, seen from outside, of a file inside. */
  path(inside: string): string;
  /** Waits, at most a minute, until something is so. */
  until(isSo: () => Promise<boolean>, what: string): Promise<void>;
}

function whyNot(): string | undefined {
  const wanted = [
    program,
    "/usr/sbin/pivot_root",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
    "/usr/bin/setpriv",
  ];
  const lacking = wanted.find((file) => !existsSync(file));

  if (process.getuid?.() !== 0) return "systemd is booted by root only: not tested";
  // It empties its /tmp at its start: so this folder is not shown to it there.
  if (/^\/(tmp|run)\//.test(`${root}/`))
    return `no systemd is booted, because it has no ${root}: clone elsewhere`;
  return lacking && `${lacking} is missing: no systemd is booted`;
}

/** A cgroup below the top, where the inner systemd thinks that it is at the top. */
function makeCgroup(): string {
  const [mount] = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"), [""]);
  if (!mount) throw new Error("no tree of cgroups (version 2) is mounted");
  const directory = `${mount.mountPoint}/async-teardown-systemd-${process.pid}-${Date.now()}`;

  mkdirSync(directory);
  return directory;
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  rmdirSync(directory);
}

/** What has just been killed may still be in there. */
async function removed(remove: () => void, what: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return remove();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      if (tries > 600) throw new Error(`${what} could not be removed`, { cause: error });
      await sleep(50);
    }
  }
}

/** The first process of the namespace, a child of unshare. */
function initOf(unshare: ChildProcess): number | undefined {
  try {
    const children = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, "utf8");
    return Number.parseInt(children, 10) || undefined;
  } catch {
    return undefined;
  }
}

function enter(unshare: ChildProcess): Systemd {
  const init = initOf(unshare);
  const spaces = ["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net", "--root", "--wd=/"];
  const path = (inside: string) => `/proc/${init}/root${inside}`;

  async function run(...words: string[]): Promise<Ran> {
    const { exitCode, stdout, stderr } = await execa(
      "nsenter",
      [`--target=${init}`, ...spaces, "--", ...words],
      { reject: false, timeout: 120_000, stdin: "ignore" },
    );
    return { exitCode, stdout, stderr };
  }

  async function output(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run(...words);
    if (exitCode !== 0) throw new Error(`${words.join(" ")} failed (${exitCode}): ${stdout}${stderr}`);
    return stdout;
  }

  return {
    run,
    output,
    path,
    write(inside, text) {
      mkdirSync(path(dirname(inside)), { recursive: true });
      writeFileSync(path(inside), text);
    },
    async install(folder, ...files) {
      await output("mkdir", "--parents", folder);
      await output("install", `--target-directory=${folder}`, ...files);
    },
    async processNames(service) {
      const script = 'for p in $(cat "$0"); do cat /proc/$p/comm; done'; // some may end meanwhile
      const group = `/sys/fs/cgroup/system.slice/${service}.service/cgroup.procs`;
      const { stdout } = await run("sh", "-c", script, group);
      const names = stdout.split("\n").filter((name) => name !== "");

      return names.map((name) => name.replace(/\/\d+$/, "/N")).sort();
    },
    async until(isSo, what) {
      const end = Date.now() + 60_000;

      while (!(await isSo())) {
        if (Date.now() > end) throw new Error(`waited a minute in vain until ${what}`);
        await sleep(50);
      }
    },
  };
}

/**
 * Boots a systemd, which is ended after the tests of the file, and with the process that runs them. Gives why
 * it cannot be booted here, for the tests to skip with.
 */
export async function bootSystemd(): Promise<Systemd | string> {
  const reason = whyNot();
  if (reason !== undefined) return reason;
  const place = mkdtempSync(join(tmpdir(), "async-teardown-systemd-"));
  let cgroup: string | undefined;

  try {
    cgroup = makeCgroup();
    const { unshare, log } = startIn(cgroup, place);

    afterAll(() => end(unshare, place, cgroup));
    return (await isUp(unshare)) ? enter(unshare) : `systemd does not boot here: ${log()}`;
  } catch (error) {
    if (cgroup === undefined) rmdirSync(place);
    return `systemd cannot be booted here: ${String(error)}`;
  }
}

function startIn(cgroup: string, place: string): { unshare: ChildProcess; log: () => string } {
  const unshare = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", "sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup],
      ...["unshare", "--kill-child", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--net"],
      ...["--propagation", "private", join(root, "test/support/systemd/boot.sh"), place, "basic.target"],
      ...[root.replace(/\/$/, ""), dirname(process.execPath)],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";

  for (const stream of [unshare.stdout, unshare.stderr])
    stream.on("data", (data) => {
      said += String(data);
    });
  return { unshare, log: () => said.trim() };
}

/** Waits, at most two minutes, until it has started all of its target; false where it has ended instead. */
async function isUp(unshare: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 1200; tries++) {
    if (unshare.exitCode !== null || unshare.signalCode !== null) return false;
    if (initOf(unshare) !== undefined) {
      const { stdout } = await enter(unshare).run("systemctl", "is-system-running");
      if (["running", "degraded"].includes(stdout)) return true;
    }
    await sleep(100);
  }
  return false;
}

async function end(unshare: ChildProcess, place: string, cgroup: string | undefined): Promise<void> {
  const init = initOf(unshare);

  if (init !== undefined) process.kill(init, "SIGKILL");
  if (unshare.exitCode === null && unshare.signalCode === null) {
    const exited = once(unshare, "exit");
    if (init === undefined) unshare.kill("SIGKILL");
    await exited;
  }
  if (cgroup !== undefined) await removed(() => removeTree(cgroup), cgroup);
  await removed(() => rmdirSync(place), place);
}
