import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { architectures } from "#dist/architectures.js";
import { builtFile } from "#dist/linux/native.js";
import { MiB } from "../units.js";
import { DemoError } from "./error.js";
import type { Absentee, Contender, Load } from "./load.js";

interface Qemu {
  readonly program: string;
  readonly debianPackage: string;
  readonly machine: readonly string[];
}

/** By Node.js's names of CPUs; architectures.ts. */
const qemus: Record<keyof typeof architectures, Qemu> = {
  x64: { program: "qemu-system-x86_64", debianPackage: "qemu-system-x86", machine: [] },
  arm64: {
    program: "qemu-system-aarch64",
    debianPackage: "qemu-system-arm",
    machine: ["-machine", "virt", "-cpu", "max"],
  },
};

/** A machine that never runs (-S): all that counts is its memory, taken whole before anything else. */
const idle = "-S -mem-prealloc -display none -nodefaults -accel tcg -monitor none -serial none".split(" ");

const launcher = builtFile("async-teardown");

async function versionOf({ program, debianPackage }: Qemu): Promise<[major: number, minor: number]> {
  const { stdout } = await promisify(execFile)(program, ["--version"]).catch((error) => {
    if (error.code !== "ENOENT") throw new DemoError(`${program} does not run: ${error.message}`);
    throw new DemoError(`${program} is not installed; on Debian: apt-get install ${debianPackage}`);
  });
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout) ?? [];

  return [Number(major), Number(minor)];
}

/** The option for QEMU's own teardown, which changed its name; undefined where there is none yet. */
function ownTeardown([major, minor]: [number, number]): string[] | undefined {
  if (major < 7 || (major === 7 && minor < 2)) return undefined;
  if (major === 7 || (major === 8 && minor === 0)) return ["-async-teardown"];
  return ["-run-with", "async-teardown=on"];
}

export async function qemuLoad(): Promise<Load> {
  const qemu = qemus[process.arch as keyof typeof architectures];
  const version = await versionOf(qemu);
  const option = ownTeardown(version);

  const start = (words: string[], bytes: number): ChildProcess => {
    const [command = "", ...args] = [...words, ...qemu.machine, ...idle, "-m", `${bytes / MiB}M`];
    return spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  };
  const own: Contender | Absentee = option
    ? { name: "QEMU's own", start: (bytes) => start([qemu.program, ...option], bytes), hasHelper: true }
    : { name: "QEMU's own", reason: "not offered before QEMU 7.2" };

  return {
    subject: `QEMU ${version.join(".")}`,
    contenders: [
      { name: "plain", start: (bytes) => start([qemu.program], bytes), hasHelper: false },
      own,
      {
        name: "protected",
        start: (bytes) => start([launcher, "run", "--", qemu.program], bytes),
        hasHelper: true,
      },
    ],
  };
}
