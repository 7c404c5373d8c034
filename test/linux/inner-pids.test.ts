import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePids } from "../../src/linux/inner-pids.js";
import { parseStatusField } from "../../src/linux/procfs.js";

describe("a process's PIDs", () => {
  it("are one for each namespace that it is seen in", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), (pids) => {
        expect(parsePids(parseStatusField(`NStgid:\t1\nNSpid:\t${pids.join("\t")}\n`, "NSpid"))).toEqual(
          pids,
        );
      }),
    );
    expect(parsePids(undefined)).toEqual([]);
  });
});
