import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./support/paths.js";

/** What the files of each folder of src/ may import besides their own folder; docs/architecture.md. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cli: ["integrations", "doctor", "protect", "teardown", "memory", "linux", "files"],
  integrations: ["protect", "teardown", "memory", "linux", "files"],
  doctor: ["protect", "teardown", "memory", "linux", "files"],
  memory: ["teardown", "linux", "files"],
  protect: ["linux", "files"],
  teardown: ["linux", "files"],
  linux: ["files"],
};

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);
const read = (name: string) => readFileSync(join(root, "src", name), "utf8");

/** The folder of src/ that a file lies in; errors.ts and format.ts, which lie in none, are "files". */
const folderOf = (name: string) => (name.includes("/") ? (name.split("/")[0] ?? "") : "files");

const inFolders = sources.filter((name) => folderOf(name) !== "files");

describe("the house", () => {
  it.each(inFolders)("src/%s imports one way only", (name) => {
    const own = folderOf(name);
    const imported = [...read(name).matchAll(/(?:from|import) "(\.{1,2}\/[^"]+)"/g)].map(([, path]) =>
      folderOf(join(name, "..", path ?? "")),
    );

    expect(mayImport).toHaveProperty(own);
    expect(imported.filter((folder) => folder !== own && !mayImport[own]?.includes(folder))).toEqual([]);
  });

  it.each(inFolders.filter((name) => folderOf(name) !== "linux"))(
    "src/%s leaves /proc and /sys to src/linux",
    (name) => {
      const reads = /\b(?:readFileSync|readFile|openSync|readdirSync|readlinkSync)\(\s*[`"']\/(?:proc|sys)\//;
      expect(reads.exec(read(name))?.[0]).toBeUndefined();
    },
  );
});
