import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leavesNoCore } from "../../src/doctor/core-dumps.js";
import { parseFailure } from "../../src/doctor/run-trial.js";

describe("the line that a failure is told in", () => {
  const words = fc.stringMatching(/^[a-z (),':]{1,40}$/);

  it("is split into reason and advice", () => {
    fc.assert(
      fc.property(words, words, fc.nat(), (found, advice, pid) => {
        expect(parseFailure(`async-teardown: ${found}; ${advice}\nmore\n`)).toEqual({ found, advice });
        expect(parseFailure(`async-teardown: process ${pid} ${found}; ${advice}`)).toEqual({ found, advice });
        expect(parseFailure(`async-teardown: ${found}\n`)).toEqual({ found });
      }),
    );
  });

  it("may be anything, or nothing", () => {
    expect(parseFailure("")).toEqual({ found: "" });
    fc.assert(fc.property(fc.string(), (text) => typeof parseFailure(text).found === "string"));
  });
});

describe("a core dump", () => {
  it.each([
    [1, "core", true],
    [0, "core", true],
    [1, "|/usr/lib/systemd/systemd-coredump %P", true],
    [0, "|/usr/lib/systemd/systemd-coredump %P", false], // a pipe gets it all the same
    [1, "@/run/coredump.socket", false],
    [-1, "core", false],
  ])("under a limit of %j to %j leaves no core: %j", (limit, pattern, expected) => {
    expect(leavesNoCore(limit, pattern)).toBe(expected);
  });
});
