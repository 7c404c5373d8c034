import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../src/errors.js";
import { addressSpaceOf } from "../src/teardown/address-space.js";
import { root } from "./support/paths.js";

const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const read = (page: string) => readFileSync(join(root, page), "utf8");

describe("the documentation", () => {
  it("has every error code, as it is", () => {
    const rows = Object.entries(errorCodes).map(
      ([code, { exitCode, meaning }]) => `| \`${code}\` | ${exitCode} | ${meaning} |`,
    );
    const table = read("docs/node-api.md")
      .split("\n")
      .filter((line) => line.startsWith("| `ERR_"));
    expect(table).toEqual(rows);
  });

  it("shows every field of an address space", () => {
    const [, example = ""] = /^```json\n(\{.*?)^```$/ms.exec(read("docs/ps.md")) ?? [];
    const [space] = (JSON.parse(example) as { addressSpaces: object[] }).addressSpaces;

    expect(Object.keys(space ?? {}).sort()).toEqual(Object.keys(addressSpaceOf(1, [], true)).sort());
  });

  it.each(pages)("%s links only to files that are there", (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) =>
      join(root, dirname(page), link ?? ""),
    );
    for (const link of links) expect(() => readFileSync(link)).not.toThrow();
  });
});
