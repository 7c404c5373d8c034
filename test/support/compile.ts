/** Compiles the C programs of the tests, once before all of them. */
import { mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { execa } from "execa";
import { programs, root } from "./paths.js";

const compiler = process.env.CC ?? "cc";
const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pthread"];

async function compile(source: string): Promise<void> {
  await execa(compiler, [...flags, "-o", join(programs, basename(source, ".c")), source], { cwd: root });
}

/** The parsers of the native part, for the tests of them; test/support/parsers.ts. */
async function compileParsers(): Promise<void> {
  const headers = createRequire(import.meta.url)("node-api-headers").include_dir;
  const sources = ["command/elf.c", "command/script.c", "common/protection.c", "common/size.c"];
  const all = [...sources, "common/pid_namespace.c"].map((name) => `native/${name}`);
  const shared = ["-shared", "-fPIC", "-Inative", `-I${headers}`, "-o", join(programs, "parsers.node")];

  await execa(compiler, [...flags, ...shared, "test/support/parsers.c", ...all], { cwd: root });
}

export default async function compileAll(): Promise<void> {
  mkdirSync(programs, { recursive: true });
  const targets = readdirSync(join(root, "test/targets")).filter((name) => name.endsWith(".c"));

  await Promise.all(targets.map((name) => compile(`test/targets/${name}`)));
  await compileParsers();
}
