import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { endWhileHeld, noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown, nativeFolder, program, root, target } from "../support/paths.js";
import { helperOf, isAlive, residentBytes, until } from "../support/proc.js";
import { ending, run, runToEnd, start, startReady } from "../support/start.js";

const noCompiler = missing("musl-gcc", "musl-tools");

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

  it("is followed through its forks, by musl's own handlers", async () => {
    const forker = program("forker-musl");
    const words = ["musl-gcc", "-O2", "-idirafter", "/usr/include", "-o", forker, target("forker.c")];
    expect((await runToEnd(words)).stderr).toBe("");

    const child = start([asyncTeardown, "run", "--follow-forks", "--", forker]);
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    const lines = () => said.split("\n").slice(0, -1).map(Number);
    await until(() => lines().length === 3, "three generations are there");
    const helpers = lines().map(helperOf);

    expect(new Set(helpers).size).toBe(3);
    for (const pid of lines().slice(1)) process.kill(pid, "SIGKILL");
    await until(() => !helpers.slice(1).some(isAlive), "their memory is back");
  });

  it.skipIf(noHolder)("is held when it is static", { timeout: 60_000 }, async () => {
    const compile = ["musl-gcc", "-O2", "-static", "-idirafter", "/usr/include", "-o", staticHog];
    expect((await runToEnd([...compile, target("hog.c")])).stderr).toBe("");
    expect((await runToEnd(["readelf", "--program-headers", staticHog])).stdout).not.toContain("INTERP");

    const words = [staticHog, String(affordable(1024 * MiB)), "stay"];
    await endWhileHeld({ words });
  });

  // Debian has no Node.js with musl: a program stands for it that has all of Node-API by name, and musl.
  it("loads the addon, which finds all that it calls", async () => {
    const addon = join(root, nativeFolder, "addon.node");
    const { stdout: symbols } = await runToEnd(["readelf", "--wide", "--dyn-syms", addon]);
    const calls = [...symbols.matchAll(/ UND (napi_\w+)/g)].map(([, name]) => name);
    const main = `int main(void) {
      void *addon = dlopen("${addon}", RTLD_NOW);
      void *(*start)(void *, void *) = addon ? dlsym(addon, "napi_register_module_v1") : 0;
      if (!start) return puts(dlerror()), 1;
      return start(0, (void *)7) == (void *)7 ? 0 : 2;
    }`;
    const host = program("node-api-host");

    expect(calls).toContain("napi_define_properties");
    writeFileSync(
      `${host}.c`,
      [
        "#include <dlfcn.h>\n#include <stdio.h>",
        ...calls.map((name) => `int ${name}() { return 0; }`),
        main,
      ].join("\n"),
    );
    const compile = ["musl-gcc", "-rdynamic", "-o", host, `${host}.c`];

    expect(await runToEnd(compile)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await runToEnd([host])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });
});
