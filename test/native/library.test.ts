import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { crossCompiler, noCrossCompiler, otherArchitecture } from "../support/cross.js";
import { asyncTeardown, holder, library, root } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const build = (variables: string[], ...options: string[]) => {
  const words = [process.execPath, join(root, "native/build.js"), ...options, join(folder, "build")];
  return runToEnd(["env", ...variables, ...words]);
};

/** What makes a library fit for any process: it needs nothing and nobody, and can never be unloaded. */
async function expectFreestanding(file: string): Promise<void> {
  const { stdout } = await runToEnd(["readelf", "--wide", "--dynamic", "--segments", "--dyn-syms", file]);
  const undefinedSymbols = stdout.match(/\bUND [^ \n]+/g);

  expect(stdout).toMatch(/FLAGS_1.*NODELETE/);
  expect(stdout).not.toMatch(/NEEDED|TEXTREL/);
  expect(stdout).not.toMatch(/^ +TLS /m);
  expect(stdout).not.toMatch(/^ .* RWE /m);
  // The environment, and the fork handlers of glibc and of musl; each may be missing.
  const wanted = ["__environ", "__register_atfork", "pthread_atfork"];
  expect(undefinedSymbols?.sort()).toEqual(wanted.map((name) => `UND ${name}`));
  for (const name of wanted) expect(stdout).toMatch(new RegExp(`WEAK +DEFAULT +UND ${name}$`, "m"));
}

describe("the preload library", () => {
  it("needs no other library, no thread-local storage and no symbol", async () => {
    await expectFreestanding(library);
  });
});

/** What makes a program fit to wait for months at no cost: it is all there is to it. */
async function expectSelfContained(file: string): Promise<void> {
  const { stdout } = await runToEnd(["readelf", "--wide", "--dynamic", "--segments", "--relocs", file]);

  expect(stdout).toMatch(/^Elf file type is DYN/m); // its addresses are random
  expect(stdout).toContain("There are no relocations in this file."); // nobody would apply them
  expect(stdout).not.toMatch(/INTERP|NEEDED|^ +TLS |^ .* RWE /m);
}

describe.each([
  ["launcher", asyncTeardown],
  ["holder", holder],
])("the %s", (_, file) => {
  it("is static, and needs no library, no thread-local storage and no relocation", async () => {
    await expectSelfContained(file);
  });
});

describe("the native parts for the other CPU", () => {
  it.skipIf(noCrossCompiler)(
    `are built by a cross compiler, without a warning (${noCrossCompiler ?? "it is there"})`,
    async () => {
      const output = join(folder, "build", otherArchitecture);
      const { exitCode, stderr } = await build([`CC=${crossCompiler} -Werror`]);

      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(readdirSync(output).sort()).toEqual([
        "addon.node",
        "async-teardown",
        "async-teardown-holder",
        "libasync-teardown.so",
        "qemu-async-teardown",
      ]);
      await expectSelfContained(join(output, "async-teardown"));
      await expectSelfContained(join(output, "async-teardown-holder"));
      await expectFreestanding(join(output, "libasync-teardown.so"));
    },
  );
});

describe("the build", () => {
  it("says in one sentence that there is no compiler", async () => {
    const { exitCode, stderr } = await build(["-u", "CC", `PATH=${folder}`]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^async-teardown: needs a C compiler .* On Debian: apt-get install gcc libc6-dev/);
    expect(stderr.split("\n")).toHaveLength(1);
  });

  it("says in one sentence that there is none for the other CPU, where both are wanted", async () => {
    const { stdout: compiler } = await runToEnd(["which", "cc"]);
    const { exitCode, stderr } = await build([`CC=${compiler}`, `PATH=${folder}`], "--all");

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^async-teardown: needs a C compiler for ${otherArchitecture} as well, .*`),
    );
    expect(stderr).toMatch(/On Debian: apt-get install gcc-[^\n]+ libc6-dev-[^\n]+-cross\.$/);
    expect(stderr.split("\n")).toHaveLength(1);
  });

  it("says in one sentence that a platform is not served", async () => {
    const elsewhere = "Object.defineProperty(process, 'platform', { value: 'darwin' });";
    const { exitCode, stderr } = await runToEnd([
      process.execPath,
      "--input-type=module",
      "--eval",
      `${elsewhere} await import("${root}/native/build.js");`,
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^async-teardown: works on Linux only, and this is darwin: [^\n]+$/);
  });

  it("says in one sentence that an architecture is not served", async () => {
    const { exitCode, stderr } = await build([`CC=${join(root, "test/targets/cc-for-riscv.sh")}`]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      "async-teardown: serves Linux on x86-64 and aarch64 only; the C compiler here builds for riscv64-linux-gnu.",
    );
  });
});
