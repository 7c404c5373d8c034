import { describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { gainOfHolding, noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { program, target } from "../support/paths.js";
import { helperOf, isAlive, residentBytes, until } from "../support/proc.js";
import { ending, run, runToEnd, startReady } from "../support/start.js";

const noCompiler = await missing("musl-gcc", "musl-tools");

describe.skipIf(noCompiler)(`a program with musl (${noCompiler ?? "musl-gcc is there"})`, () => {
  const hog = program("hog-musl");
  const staticHog = program("hog-musl-static");

  it("is protected as one with glibc is", async () => {
    const words = ["musl-gcc", "-O2", "-idirafter", "/usr/include", "-o", hog, target("hog.c")];
    expect((await runToEnd(words)).stderr).toBe("");

    for (const way of ["stay", "exit", "thread", "main-ends"]) {
      const child = await startReady([...run, hog, String(64 << 20), way]);
      const helper = helperOf(child.pid);

      process.kill(helper, "SIGSTOP");
      if (way === "stay") child.kill("SIGKILL");
      else child.stdin?.end();
      expect(await ending(child)).toBe({ stay: "SIGKILL", exit: 7, thread: 8, "main-ends": 9 }[way]);
      expect(residentBytes(helper)).toBeGreaterThan(64 << 20);
      process.kill(helper, "SIGCONT");
      await until(() => !isAlive(helper), "the helper is gone");
    }
  });

  it.skipIf(noHolder)("is held when it is static", { timeout: 60_000 }, async () => {
    const compile = ["musl-gcc", "-O2", "-static", "-idirafter", "/usr/include", "-o", staticHog];
    expect((await runToEnd([...compile, target("hog.c")])).stderr).toBe("");
    expect((await runToEnd(["readelf", "--program-headers", staticHog])).stdout).not.toContain("INTERP");

    const words = [staticHog, String(affordable(1024 * MiB)), "stay"];
    expect(await gainOfHolding({ words })).toBeGreaterThan(5);
  });
});
