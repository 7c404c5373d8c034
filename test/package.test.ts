import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./support/paths.js";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The packages that these sources import, at their start or later, types as well. */
function importedPackages(sources: readonly string[]): string[] {
  const specifiers = sources.flatMap((source) =>
    [...source.matchAll(/(?:\bfrom|\bimport\(?)\s*"([^."][^"]*)"/g)].map(([, specifier = ""]) => specifier),
  );
  const packages = specifiers
    .filter((specifier) => !specifier.startsWith("node:") && !builtinModules.includes(specifier))
    .map((specifier) => specifier.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? specifier);

  return [...new Set(packages)].sort();
}

it("depends on what its sources import, and on nothing else", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src", name), "utf8"));

  expect(importedPackages(sources)).toEqual(Object.keys(manifest.dependencies).sort());
});

it("has no script that runs at its installation, as npm 12 would not run it", () => {
  const atInstallation = ["preinstall", "install", "postinstall"];
  expect(Object.keys(manifest.scripts).filter((name) => atInstallation.includes(name))).toEqual([]);
});
