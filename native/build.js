// @ts-check
/**
 * Builds the native parts into build/ with the machine's C compiler: `node native/build.js [DIRECTORY]`.
 * Plain JavaScript, because it runs before anything is compiled. CC chooses the compiler; a cross
 * compiler builds for its own target.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const sources = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? join(sources, "..", "build"));

const warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Werror=implicit", "-Wstrict-prototypes"];

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

/** NODELETE: the helper's text must stay where it is, whatever dlclose is asked for. */
const shared = ["-shared", "-Wl,-z,nodelete", ...hardened];

/** The files of one folder, without their ending. @param {string} folder @param {string[]} names */
const from = (folder, ...names) => names.map((name) => `${folder}/${name}.c`);

/** What helper and holder have in common. */
const common = from("common", ...["daemonize", "confine", "proc_status", "record", "priority", "builtins"]);

const helper = [
  ...from(
    "helper",
    "helper",
    "lifeline",
    "release",
    "crew",
    "files",
    "workers",
    "cpus",
    "pieces",
    "maps",
    "own",
    "pace",
  ),
  ...from("common", "pid_namespace"),
  ...common,
];

/**
 * Return addresses and jump targets checked by the CPU, as the distributions build theirs; atomic
 * operations in place, where a compiler would call functions of its own library.
 */
const architectures = {
  "x86-64": ["-fcf-protection=full"],
  aarch64: ["-mbranch-protection=bti+pac-ret", "-mno-outline-atomics"],
};

/** @param {string} sentence @returns {never} */
function giveUp(sentence) {
  process.stderr.write(`async-teardown: ${sentence}\n`);
  process.exit(1);
}

function findCompiler() {
  const candidates = process.env.CC ? [process.env.CC] : ["cc", "gcc", "clang"];

  for (const candidate of candidates) {
    const [command = "", ...flags] = candidate.split(" ");
    const answer = spawnSync(command, [...flags, "-dumpmachine"], { encoding: "utf8" });

    if (answer.status === 0) return { command, flags, machine: answer.stdout.trim() };
  }
  return giveUp(
    `needs a C compiler to build its native part, and found none (tried ${candidates.join(", ")}). ` +
      "On Debian: apt-get install gcc libc6-dev. Another one can be named in the variable CC.",
  );
}

/** @param {string} machine @returns {keyof typeof architectures} */
function architectureOf(machine) {
  if (/^(x86_64|amd64)-.*linux-(?!gnux32)/.test(machine)) return "x86-64";
  if (/^(aarch64|arm64)-.*linux/.test(machine)) return "aarch64";
  return giveUp(`serves Linux on x86-64 and aarch64 only; the C compiler here builds for ${machine}.`);
}

/** @param {string} name @param {string[]} flags @param {string[]} files */
function build(name, flags, files) {
  const target = join(output, name);
  const temporary = `${target}.${process.pid}.new`;
  const paths = files.map((file) => join(sources, file));
  const result = spawnSync(
    compiler.command,
    [...compiler.flags, ...warnings, ...flags, `-I${sources}`, "-o", temporary, ...paths],
    { stdio: ["ignore", "inherit", "inherit"] },
  );

  if (result.status !== 0)
    giveUp(
      `could not build ${name}: the C compiler's message is above. On Debian, libc6-dev has the headers.`,
    );
  // In one step: a target that runs may have the old one mapped.
  renameSync(temporary, target);
}

if (process.platform !== "linux")
  giveUp(
    `works on Linux only, and this is ${process.platform}: it uses the Linux kernel's own way of sharing memory.`,
  );

const compiler = findCompiler();
const architecture = architectures[architectureOf(compiler.machine)];
const nodeHeaders = createRequire(import.meta.url)("node-api-headers").include_dir;

mkdirSync(output, { recursive: true });
build(
  "libasync-teardown.so",
  [...freestanding, ...shared, "-nostdlib", "-Wl,-z,defs", ...architecture],
  [...from("preload", "preload"), ...helper],
);
build(
  "addon.node",
  [...freestanding, ...shared, ...architecture, "-isystem", nodeHeaders],
  [
    ...from("addon", "addon", "exit_watcher", "probe"),
    ...from("common", "exec_event", "userfaultfd"),
    ...helper,
  ],
);
build(
  "async-teardown-holder",
  [...freestanding, "-fPIE", "-static-pie", "-nostdlib", ...hardened, ...architecture],
  [
    ...from("holder", "holder", "hold", "argv_record", "reader", "resident"),
    ...from("common", "exec_event", "userfaultfd"),
    ...common,
  ],
);
build(
  "async-teardown",
  [
    "-O2",
    "-fPIE",
    "-pie",
    "-fstack-protector-strong",
    ...hardened,
    ...architecture,
    `-DNODE_OF_BUILD=${JSON.stringify(process.execPath)}`,
  ],
  [...from("launcher", "launcher", "planner", "complain"), ...from("common", "pid_namespace")],
);
