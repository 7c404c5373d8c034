import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./support/paths.js";

const read = (name: string) => readFileSync(join(root, name), "utf8");

/** What .ci/install installs; CI fails where a test misses one of its packages. */
const installed = new Set(read(".ci/install").split(/[\s"$]+/));

const sources = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => `test/${name}`);

/** The packages that a file tells its reader to install: the words after the first of `missing(file, package…)`. */
function named(source: string): string[] {
  const calls = read(source).matchAll(/\bmissing\("[^"]+"((?:, "[^"]+")+)\)/g);
  return [...calls].flatMap(([, packages = ""]) => packages.split(/[", ]+/).filter(Boolean));
}

const asking = sources.filter((source) => named(source).length > 0);

describe(".ci/install", () => {
  it.each(asking)("has what %s needs", (source) => {
    expect(named(source).filter((name) => !installed.has(name))).toEqual([]);
  });
});
