/** Compiles the C programs of the tests, once before all of them. */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { programs, root } from "./paths.js";
import { flags as readerFlags, sources } from "./reader-sources.js";

const compiler = process.env.CC ?? "cc";
const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-Inative"];

async function compile(source: string): Promise<void> {
  await execa(compiler, [...flags, "-o", join(programs, basename(source, ".c")), source], { cwd: root });
}

/** Two projects ask for the programs, one after the other in the same process; the readers are compiled last. */
function isCompiled(): boolean {
  const { mtimeMs = 0 } = statSync(join(programs, "readers"), { throwIfNoEntry: false }) ?? {};
  return mtimeMs > performance.timeOrigin;
}

/** The readers of the native part, for the tests of them; test/support/readers.ts. */
async function compileReaders(): Promise<void> {
  await execa(compiler, [...readerFlags, "-o", join(programs, "readers"), ...sources], { cwd: root });
}

export default async function compileAll(): Promise<void> {
  if (isCompiled()) return;
  mkdirSync(programs, { recursive: true });
  const targets = readdirSync(join(root, "test/targets")).filter((name) => name.endsWith(".c"));

  await Promise.all(targets.map((name) => compile(`test/targets/${name}`)));
  await compileReaders();
}
