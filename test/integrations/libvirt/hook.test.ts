import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hookText } from "../../../src/integrations/libvirt/hook.js";
import { pidFileOf } from "../../../src/integrations/libvirt/status.js";

/** What the hook makes of the names of domains. */
function namesInHook(names: readonly string[]): string[] {
  const step = /^ *name=.*$/m.exec(hookText("/command"))?.[0] ?? "";
  const loop = `for name; do set -- "$name"; ${step}\nprintf '%s\\0' "$name"; done`;
  return execFileSync("sh", ["-c", loop, "sh", ...names], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

describe("the hook", () => {
  it("looks for the file that status looks for, whatever the domain's name is", () => {
    const part = fc.oneof(fc.constantFrom(..."&<>\"'"), fc.string({ unit: "grapheme" }));
    const name = fc.array(part, { minLength: 1 }).map((parts) => parts.join("").replace(/[\n\0/]/g, "x")); // libvirt refuses these

    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), (names) => {
        const all = ["&<>\"'", ...names];
        expect(namesInHook(all).map((each) => `/run/${each}.pid`)).toEqual(
          all.map((each) => pidFileOf(each, "/run")),
        );
      }),
      { numRuns: 20 },
    );
  });
});
