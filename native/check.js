// @ts-check
/**
 * Checks all C of the repository: its format, the compilers' warnings as errors, and what their analyzers find.
 * `npm run check` runs it. Plain JavaScript, as build.js.
 *
 * Each tool is asked for in the one version whose findings have been looked at, that of Debian 12: another one
 * formats otherwise and finds other things. Where it is not there, its part is left out with a word.
 * What has been checked as it stands is not checked again; build/checked remembers.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ name: string, version: number, packages: string, args: string[], configuration: string,
 *   files: (file: string) => boolean, atOnce: number }} Tool
 * @typedef {{ command: string, args: string[], key: string }} Task
 */

process.chdir(join(fileURLToPath(import.meta.url), "../.."));

const remembered = "build/checked";
const flags = readFileSync("compile_flags.txt", "utf8").trim().split("\n");
/** @param {string} file */
const isSource = (file) => file.endsWith(".c");

/** The slowest first. @type {Tool[]} */
const tools = [
  {
    name: "clang-tidy",
    version: 14,
    packages: "clang-tidy-14",
    args: ["--quiet"],
    configuration: ".clang-tidy",
    // The programs of tests and benchmarks do on purpose what it warns of: they recurse, leak, and vfork.
    files: (file) => isSource(file) && /^(native|test\/support)\//.test(file),
    atOnce: 1, // after the first of several, its analyzer takes a va_list that is started for one that is not
  },
  {
    name: "gcc",
    version: 12,
    packages: "gcc-12",
    // -O2: some warnings come of what the optimizer learns.
    args: [...flags, "-Werror", "-O2", "-fanalyzer", "-c", "-o", "/dev/null"],
    configuration: "compile_flags.txt",
    files: isSource,
    atOnce: 1,
  },
  {
    name: "clang-format",
    version: 14,
    packages: "clang-format-14",
    args: ["--dry-run", "-Werror"],
    configuration: ".clang-format",
    files: () => true,
    atOnce: Number.POSITIVE_INFINITY,
  },
];

/** The command of this very version, or nothing. @param {Tool} tool */
function findCommand({ name, version }) {
  return [`${name}-${version}`, name].find((command) => {
    const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
    return status === 0 && new RegExp(`(version|\\)) ${version}\\.`).test(stdout);
  });
}

/** @param {string[]} parts */
const hash = (...parts) => createHash("sha256").update(parts.join("\0")).digest("hex");

const files = ["native", "test", "bench"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort(),
);
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));

/** A file and those of ours that it includes. @param {string} file @param {Set<string>} seen @returns {string[]} */
function withIncluded(file, seen = new Set()) {
  const text = texts.get(file);
  if (text === undefined || seen.has(file)) return [];
  seen.add(file);
  const included = [...text.matchAll(/^#include "(.+)"/gm)].map(([, name = ""]) => name);
  const paths = included.flatMap((name) => [join(dirname(file), name), join("native", name)]);
  return [text, ...paths.flatMap((path) => withIncluded(path, seen))];
}

/** @param {Tool} tool @returns {Task[]} */
function tasksOf(tool) {
  const command = findCommand(tool);
  if (command === undefined) {
    process.stderr.write(
      `async-teardown: ${tool.name} ${tool.version} is not here, and its checks of the C are left out. ` +
        `On Debian 12: apt-get install ${tool.packages}.\n`,
    );
    return [];
  }
  const chosen = files.filter(tool.files);
  const size = Math.min(tool.atOnce, chosen.length);
  const configuration = readFileSync(tool.configuration, "utf8");

  return Array.from({ length: Math.ceil(chosen.length / size) }, (_, index) => {
    const some = chosen.slice(index * size, (index + 1) * size);
    const args = [...tool.args, ...some];
    return {
      command,
      args,
      key: hash(command, ...args, configuration, ...some.flatMap((file) => withIncluded(file))),
    };
  });
}

/** Whether it found nothing. What it found is printed. @param {Task} task @returns {Promise<boolean>} */
function passes({ command, args }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    /** @type {Buffer[]} */
    const output = [];

    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("close", (status) => {
      if (status !== 0) process.stderr.write(Buffer.concat(output));
      resolve(status === 0);
    });
  });
}

/** @returns {Set<string>} */
function readRemembered() {
  try {
    return new Set(readFileSync(remembered, "utf8").split("\n"));
  } catch {
    return new Set(); // a fresh clone
  }
}

const known = readRemembered();
const tasks = tools.flatMap(tasksOf);
const passed = tasks.filter(({ key }) => known.has(key)).map(({ key }) => key);
const waiting = tasks.filter(({ key }) => !known.has(key));
let failures = 0;

async function work() {
  for (let task = waiting.shift(); task; task = waiting.shift()) {
    if (await passes(task)) passed.push(task.key);
    else failures++;
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work));
mkdirSync("build", { recursive: true });
writeFileSync(`${remembered}.${process.pid}`, passed.join("\n"));
renameSync(`${remembered}.${process.pid}`, remembered);
process.exitCode = failures > 0 ? 1 : 0;
