import { describe, expect, it } from "vitest";
import { missing } from "../../src/doctor/check.js";
import { leavesNoCore } from "../../src/doctor/core-dumps.js";
import { AsyncTeardownError } from "../../src/errors.js";

describe("an error that a trial ended with", () => {
  it("is told by its fields where it is a refusal, and by its message where it is the system's", () => {
    const refusal = new AsyncTeardownError("ERR_KERNEL", "cannot; be held", { advice: "get another" });
    const limit = Object.assign(new Error("spawn node EAGAIN"), { errno: -11, code: "EAGAIN" });

    expect(missing("attach", refusal)).toEqual({
      name: "attach",
      status: "missing",
      found: "cannot; be held",
      advice: "get another",
    });
    expect(missing("run", limit)).toEqual({ name: "run", status: "missing", found: "spawn node EAGAIN" });
  });

  it("is thrown where it is neither: a fault of our own says nothing of the machine", () => {
    const fault = new TypeError("undefined is not a function");
    expect(() => missing("run", fault)).toThrow(fault);
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
