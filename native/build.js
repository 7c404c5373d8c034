// @ts-check
/**
 * Builds the native parts into build/<architecture>/: `node native/build.js [--all] [DIRECTORY]`.
 * Plain JavaScript, because it runs before anything is compiled. CC chooses the compiler; a cross
 * compiler builds for its own target. With --all, for every architecture: what a tarball needs.
 *
 * The same sources and the same compilers give the same files, byte for byte, wherever they are built.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const sources = dirname(fileURLToPath(import.meta.url));
const all = process.argv[2] === "--all";
const output = resolve(process.argv[all ? 3 : 2] ?? join(sources, "..", "build"));

/** The language and the warnings that native/check.js and editors use, too: those are errors there, but not here. */
const warnings = readFileSync(join(sources, "..", "compile_flags.txt"), "utf8")
  .split("\n")
  .filter((flag) => /^-(std|W)/.test(flag));

/** What enters a target: no libc, no thread-local storage, nothing that can be unloaded. */
const freestanding = [
  "-O2",
  "-fPIC",
  "-fvisibility=hidden",
  "-ffreestanding",
  "-fno-stack-protector", // its guard value is in thread-local storage
  "-fno-tree-loop-distribute-patterns", // would turn the loop in memset into a call of memset
  "-U_FORTIFY_SOURCE",
];

const hardened = ["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"];

/** Text and constants in one mapping: of each one more, a target's start would take ten microseconds longer. */
const fewMappings = "-Wl,-z,noseparate-code";

/** NODELETE: the helper's text must stay where it is, whatever dlclose is asked for. */
const shared = ["-shared", "-Wl,-z,nodelete", ...hardened];

/** The files of one folder, without their ending. @param {string} folder @param {string[]} names */
const from = (folder, ...names) => names.map((name) => `${folder}/${name}.c`);

/** What becomes of a command: for the launcher, and for JavaScript. */
const command = from(
  "command",
  ...["find", "script", "elf", "executable", "protectable", "library", "variables", "refusal"],
);

/** What helper and holder have in common. */
const common = from("common", ...["daemonize", "confine", "proc_status", "record", "priority", "builtins"]);

const helper = [
  ...from(
    "helper",
    "helper",
    "lifeline",
    "proc_stat",
    "release",
    "crew",
    "files",
    "workers",
    "cpus",
    "pieces",
    "nodes",
    "numa",
    "own",
    "idle",
    "pace",
  ),
  ...from("common", "pid_namespace", "failure", "maps"),
  ...common,
];

/**
 * By the names of uname(1). Return addresses and jump targets are checked by the CPU, as the distributions
 * build theirs; atomic operations are in place, where a compiler would call functions of its own library.
 */
const architectures = {
  x86_64: {
    machine: /^(x86_64|amd64)-.*linux-(?!gnux32)/,
    flags: ["-fcf-protection=full"],
    cross: "x86_64-linux-gnu-gcc",
    packages: "gcc-x86-64-linux-gnu libc6-dev-amd64-cross",
  },
  aarch64: {
    machine: /^(aarch64|arm64)-.*linux/,
    flags: ["-mbranch-protection=bti+pac-ret", "-mno-outline-atomics"],
    cross: "aarch64-linux-gnu-gcc",
    packages: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
  },
};

/** @typedef {keyof typeof architectures} Architecture */
/** @typedef {{ command: string, flags: string[], machine: string }} Compiler */

const names = /** @type {Architecture[]} */ (Object.keys(architectures));

/** @param {string} sentence @returns {never} */
function giveUp(sentence) {
  process.stderr.write(`async-teardown: ${sentence}\n`);
  process.exit(1);
}

/** The first of these that is there. @param {string[]} candidates @returns {Compiler | undefined} */
function findCompiler(candidates) {
  for (const candidate of candidates) {
    const [command = "", ...flags] = candidate.split(" ");
    const answer = spawnSync(command, [...flags, "-dumpmachine"], { encoding: "utf8" });

    if (answer.status === 0) return { command, flags, machine: answer.stdout.trim() };
  }
  return undefined;
}

/** The compiler of this machine, or the one that CC names. @returns {Compiler} */
function chosenCompiler() {
  const candidates = process.env.CC ? [process.env.CC] : ["cc", "gcc", "clang"];

  return (
    findCompiler(candidates) ??
    giveUp(
      `needs a C compiler to build its native part, and found none (tried ${candidates.join(", ")}). ` +
        "On Debian: apt-get install gcc libc6-dev. Another one can be named in the variable CC.",
    )
  );
}

/** @param {Compiler} compiler @returns {Architecture} */
function architectureOf({ machine }) {
  return (
    names.find((name) => architectures[name].machine.test(machine)) ??
    giveUp(`serves Linux on x86-64 and aarch64 only; the C compiler here builds for ${machine}.`)
  );
}

/** @param {Architecture} architecture @returns {Compiler} */
function crossCompiler(architecture) {
  const { cross, packages } = architectures[architecture];

  return (
    findCompiler([cross]) ??
    giveUp(
      `needs a C compiler for ${architecture} as well, for a package that serves both CPUs, and found no ` +
        `${cross}. On Debian: apt-get install ${packages}.`,
    )
  );
}

/** Where the headers of Node.js's own interface are. */
function nodeHeaders() {
  try {
    return createRequire(import.meta.url)("node-api-headers").include_dir;
  } catch {
    return giveUp(
      "is built with its development dependencies, which are not installed: run 'npm ci' without --omit=dev.",
    );
  }
}

/**
 * The launcher of this build finds Node.js by it where PATH has none, as under sudo or in a service. No
 * package carries it.
 */
function linkNode() {
  const link = join(output, "node");
  const temporary = `${link}.${process.pid}.new`;

  rmSync(temporary, { force: true });
  symlinkSync(process.execPath, temporary);
  renameSync(temporary, link);
}

if (process.platform !== "linux")
  giveUp(
    `works on Linux only, and this is ${process.platform}: it uses the Linux kernel's own way of sharing memory.`,
  );

const headers = nodeHeaders();
const chosen = chosenCompiler();
const host = architectureOf(chosen);

/** All that are needed are looked for before the first one works. @type {[Architecture, Compiler][]} */
const compilers = (all ? names : [host]).map((name) => [name, name === host ? chosen : crossCompiler(name)]);

await Promise.all(compilers.map(([architecture, compiler]) => buildAll(architecture, compiler)));
linkNode();

/** All at once: on two CPUs, in half the time. @param {Architecture} architecture @param {Compiler} compiler */
async function buildAll(architecture, compiler) {
  const folder = join(output, architecture);
  const cpu = architectures[architecture].flags;

  /** @param {string} name @param {string[]} flags @param {string[]} files */
  async function build(name, flags, files) {
    const target = join(folder, name);
    const temporary = `${target}.${process.pid}.new`;
    const compiling = spawn(
      compiler.command,
      [...compiler.flags, ...warnings, ...flags, ...cpu, `-I${sources}`, "-o", temporary, ...files],
      { cwd: sources, stdio: ["ignore", "inherit", "inherit"] },
    );
    const [status] = await once(compiling, "close");

    if (status !== 0)
      giveUp(
        `could not build ${name}: the C compiler's message is above. On Debian, libc6-dev has the headers.`,
      );
    // In one step: a target that runs may have the old one mapped.
    renameSync(temporary, target);
  }

  mkdirSync(folder, { recursive: true });
  await Promise.all([
    build(
      "libasync-teardown.so",
      [...freestanding, ...shared, "-nostdlib", "-Wl,-z,defs", fewMappings],
      [...from("preload", "preload"), ...from("common", "protection", "write_quietly"), ...helper],
    ),
    build(
      // Its Node.js has loaded a libc: the calls of that one serve, glibc's of any age as well as musl's.
      "addon.node",
      [...freestanding, ...shared, "-nostdlib", "-isystem", headers],
      [
        ...from("addon", "addon", "bounded", "command", "exit_watcher", "probe"),
        ...command,
        ...from("common", "exec_event", "userfaultfd"),
        ...helper,
      ],
    ),
    build(
      "async-teardown-holder",
      [...freestanding, "-fPIE", "-static-pie", "-nostdlib", ...hardened],
      [
        ...from("holder", "holder", "hold", "argv_record", "reader", "resident", "shared"),
        ...from("common", "maps"),
        ...from("common", "exec_event", "userfaultfd"),
        ...common,
      ],
    ),
    build(
      "async-teardown",
      [...freestanding, "-fPIE", "-static-pie", "-nostdlib", ...hardened, fewMappings],
      [
        ...from("launcher", "launcher", "start", "options", "help", "run", "execute", "environment"),
        ...from("launcher", "attach", "node", "package", "complain", "qemu", "qemu_config", "emulator"),
        ...from("common", "pid_namespace", "protection", "size", "write_quietly", "builtins"),
        ...command,
      ],
    ),
  ]);
  // Its second name. npm carries no links, so it is a copy.
  const second = join(folder, "qemu-async-teardown");
  copyFileSync(join(folder, "async-teardown"), `${second}.${process.pid}.new`);
  renameSync(`${second}.${process.pid}.new`, second);
}
