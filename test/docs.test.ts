import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../src/errors.js";
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

  it.each(pages)("%s links only to files that are there", (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) =>
      join(root, dirname(page), link ?? ""),
    );
    for (const link of links) expect(() => readFileSync(link)).not.toThrow();
  });
});
