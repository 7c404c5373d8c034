import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import { architectures } from "../src/architectures.js";
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

it("has no script that npm takes for one of an installation", () => {
  // Nor "prepare": npm warns of it where a tarball is installed, although it runs in a clone alone. So does
  // "postprepare", of which npm does not warn.
  const atInstallation = ["preinstall", "install", "postinstall", "prepare"];

  expect(Object.keys(manifest.scripts).filter((name) => atInstallation.includes(name))).toEqual([]);
  expect(manifest.scripts.postprepare).toBe("npm run build");
});

it("names the same CPUs everywhere", () => {
  const folders = Object.values(architectures).map(({ folder }) => folder);
  const builder = readFileSync(join(root, "native/build.js"), "utf8");
  const arch = readdirSync(join(root, "native/arch")).filter((name) => name !== "arch.h");

  expect(manifest.cpu).toEqual(Object.keys(architectures));
  expect(manifest.files).toEqual(expect.arrayContaining(folders.map((folder) => `build/${folder}`)));
  expect(arch.sort()).toEqual(folders.map((folder) => `${folder}.h`).sort());
  expect([...builder.matchAll(/^ {2}(\w+): \{\n {4}machine: /gm)].map(([, name]) => name)).toEqual(folders);
});
