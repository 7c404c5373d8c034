/** Containers of real runtimes, held by their poststart hook. A stopped holder keeps the memory, to be looked at. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { AddressSpace } from "../../src/teardown/address-space.js";
import { missing } from "../support/component.js";
import { type Hook, noContainer, runContainer, stateOf } from "../support/container.js";
import { asyncTeardown, root } from "../support/paths.js";
import { isAlive, residentBytes } from "../support/proc.js";
import { hog, runToEnd } from "../support/start.js";

const bytes = 64 * 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), "async-teardown-bin-"));
afterAll(() => rmSync(folder, { recursive: true }));

// As a shell finds it once the package is installed.
symlinkSync(asyncTeardown, join(folder, "async-teardown"));
const PATH = `PATH=${folder}:/usr/local/bin:/usr/bin:/bin`;
const direct: Hook = { path: asyncTeardown, args: ["async-teardown", "oci-hook"], env: [PATH] };

function packaged(name: string): Hook {
  const { hook } = JSON.parse(readFileSync(join(root, "packaging/oci", name), "utf8"));
  return { path: hook.path, args: hook.args, env: [PATH] };
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found) return found;
    await sleep(100);
  }
  throw new Error(`waited a minute in vain until ${what}`);
}

async function spaceOf(container: string): Promise<AddressSpace | undefined> {
  const { stdout } = await runToEnd([asyncTeardown, "ps", "--json"]);
  return JSON.parse(stdout).addressSpaces.find((space: AddressSpace) => space.container === container);
}

describe.each(["runc", "crun"])("a container of %s", { timeout: 240_000 }, async (runtime) => {
  const reason = missing(runtime, runtime) ?? noContainer(runtime);
  const id = (name: string) => `at-${name}-${process.pid}-${runtime}`;
  const title = reason === undefined ? "" : `: ${reason}`;

  test.skipIf(reason)(`is stopped and deleted while its memory is still there${title}`, async () => {
    const name = id("held");
    runContainer(runtime, name, hog(bytes, "stay"), [direct]);
    const state = await stateOf(runtime, name);
    const pid = state?.pid ?? 0;
    await until(() => residentBytes(pid) >= bytes, "its memory is filled");
    const space = await spaceOf(name);
    const holder = space?.protectors[0]?.pid ?? 0;
    expect(space).toMatchObject({ target: pid, state: "protected", container: name });

    process.kill(holder, "SIGSTOP");
    await runToEnd([runtime, "kill", name, "KILL"]);
    await until(async () => (await stateOf(runtime, name))?.status === "stopped", "it is stopped");
    expect(await spaceOf(name)).toMatchObject({ target: pid, state: "target gone" });
    expect((await runToEnd([runtime, "delete", name])).exitCode).toBe(0);
    expect(await stateOf(runtime, name)).toBe(undefined);
    expect(isAlive(holder)).toBe(true);
    process.kill(holder, "SIGCONT");
    await until(() => !isAlive(holder), "its memory is back");
  });

  test.skipIf(reason).each(["async-teardown.json", "async-teardown-large.json"])(
    "is held by the hook of packaging/oci/%s",
    async (file) => {
      const name = id(file.replace(".json", ""));
      runContainer(runtime, name, hog(0, "stay"), [packaged(file)]);
      const space = await until(() => spaceOf(name), "it is held");

      await runToEnd([runtime, "delete", "--force", name]);
      await until(() => !isAlive(space.protectors[0]?.pid ?? 0), "its holder is gone");
    },
  );

  test.skipIf(reason)("is left alone below a size, and starts where it cannot be held", async () => {
    const above = { ...direct, args: [...direct.args, "--above", "2G"] };
    const impossible = {
      ...direct,
      path: "/usr/bin/env",
      args: ["env", "-i", PATH, "sh", "-c", "echo {} | async-teardown oci-hook"],
    };
    const name = id("plain");

    runContainer(runtime, name, hog(0, "stay"), [above, impossible]);
    expect((await stateOf(runtime, name))?.status).toBe("running");
    expect(await spaceOf(name)).toBe(undefined);
  });
});

describe("the hook", () => {
  const hook = (input: string, ...words: string[]) =>
    runToEnd([asyncTeardown, "oci-hook", ...words], { input });

  test.each([
    ["", "no JSON"],
    ["[]", "no ID"],
    ["null", "no object"],
    ['{"id":"a"}', "no PID"],
    ['{"id":"a","pid":0}', "no PID"],
    ['{"id":"a","pid":1.5}', "no PID"],
    ['{"id":"a","pid":"12"}', "no PID"],
  ])("says in a line why %j is no state, and fails only if that is wanted", async (input, why) => {
    const { exitCode, stderr } = await hook(input);

    expect([exitCode, stderr.split("\n").length]).toEqual([0, 1]);
    expect(stderr).toContain(why);
    if (input === "") expect((await hook(input, "--required")).exitCode).toBe(125);
  });
});
