import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { isSealed, replaceFile, seal, stateOfFile } from "../../src/integrations/sealed-file.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-sealed-"));
const path = join(folder, "file");

afterAll(() => rmSync(folder, { recursive: true }));

describe("a sealed file", () => {
  it("is ours until a byte of it changes", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (text, more) => {
        expect(isSealed(seal(text))).toBe(true);
        expect(isSealed(seal(text) + more)).toBe(false);
        expect(isSealed(text)).toBe(false);
      }),
    );
  });

  it("is missing, ours, or somebody else's", () => {
    expect([stateOfFile(path), stateOfFile(join(path, "below"))]).toEqual(["missing", "missing"]);
    replaceFile(path, seal("a\n"));
    expect(stateOfFile(path)).toBe("ours");
    writeFileSync(path, "# mine\n", { flag: "a" });
    expect(stateOfFile(path)).toBe("other");
    expect(stateOfFile(folder)).toBe("other");
  });

  it("replaces a link, and not what it leads to", () => {
    const [link, other] = [join(folder, "link"), join(folder, "other")];
    writeFileSync(other, seal("theirs\n"));
    symlinkSync(other, link);

    expect(stateOfFile(link)).toBe("other");
    replaceFile(link, "new\n");
    expect([readFileSync(link, "utf8"), readFileSync(other, "utf8")]).toEqual(["new\n", seal("theirs\n")]);
    expect(readdirSync(folder).filter((name) => name.endsWith("~"))).toEqual([]);
  });

  it("leaves nothing where it cannot be put", () => {
    expect(() => replaceFile(folder, "text")).toThrow();
    expect(readdirSync(tmpdir()).filter((name) => name.endsWith("~") && folder.endsWith(name))).toEqual([]);
  });
});
