/** A real libvirtd with files of its own, for tests: see libvirt/daemon.sh. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pidFileOf } from "../../src/integrations/libvirt/status.js";
import { missing } from "./component.js";
import { root } from "./paths.js";
import { isAlive } from "./proc.js";
import { runToEnd } from "./start.js";

/** Why no libvirt can be tested here, or undefined. */
export function noLibvirt(): string | undefined {
  if (process.getuid?.() !== 0) return "libvirtd runs as root: not tested";
  return (
    missing("qemu-system-x86_64", "qemu-system-x86") ??
    missing("libvirtd", "libvirt-daemon", "libvirt-clients")
  );
}

/** Milliseconds that anything of libvirt's may take on a slow machine. */
const patience = 120_000;

/** Waits until something is so; libvirt is slower than others. */
export async function eventually(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + patience;

  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await sleep(50);
  }
}

export class Libvirt {
  #daemon: ChildProcess | undefined;

  get pid(): number {
    if (this.#daemon?.pid === undefined) throw new Error("libvirtd does not run");
    return this.#daemon.pid;
  }

  /** Runs a command where the daemon's files are. */
  async run(words: readonly string[], input = "") {
    const inside = ["nsenter", `--mount=/proc/${this.pid}/ns/mnt`, ...words];
    return await runToEnd(inside, { input, timeout: patience });
  }

  /** The same, of a command that has to work; what it writes. */
  async output(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(words);
    if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
    return stdout;
  }

  async write(path: string, text: string): Promise<void> {
    const { exitCode, stderr } = await this.run(
      ["sh", "-c", 'mkdir -p "$(dirname "$0")" && cat >"$0" && chmod 755 "$0"', path],
      text,
    );
    if (exitCode !== 0) throw new Error(stderr);
  }

  virsh(...words: string[]): Promise<string> {
    return this.output("virsh", "--quiet", ...words);
  }

  async isRunning(domain: string): Promise<boolean> {
    return (await this.virsh("domstate", domain)).trim() === "running";
  }

  /** The PID of a domain's QEMU. */
  async pidOf(domain: string): Promise<number> {
    return Number(await this.output("cat", pidFileOf(domain, "/run/libvirt/qemu")));
  }

  async start(): Promise<void> {
    const daemon = join(root, "test/support/libvirt/daemon.sh");
    this.#daemon = spawn("unshare", ["--mount", daemon], { stdio: ["ignore", "ignore", "inherit"] });
    await eventually(async () => {
      if (this.#daemon?.exitCode !== null) throw new Error("libvirtd ended");
      return (await this.run(["virsh", "uri"])).exitCode === 0;
    }, "libvirtd answers");
  }

  /** Ends all domains, and the daemon. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon?.pid === undefined || daemon.exitCode !== null) return;
    const names = (await this.run(["virsh", "list", "--name"])).stdout
      .split("\n")
      .filter((name) => name !== "");

    for (const name of names) await this.run(["virsh", "destroy", name]);
    daemon.kill("SIGTERM");
    await eventually(() => !isAlive(daemon.pid as number), "libvirtd has ended");
    if (daemon.exitCode === null) await once(daemon, "exit");
  }
}

/** A small machine, which needs no system: it has no disk, and does nothing. */
export function machine(name: string, more = "", emulator = "/usr/bin/qemu-system-x86_64"): string {
  return `<domain type='qemu'><name>${name}</name><memory unit='MiB'>64</memory>
    <os><type arch='x86_64' machine='pc'>hvm</type></os>${more}
    <devices><emulator>${emulator}</emulator><controller type='usb' model='none'/>
      <video><model type='none'/></video><memballoon model='none'/></devices></domain>`;
}
