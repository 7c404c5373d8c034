import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { asyncTeardown, nativeFolder, root } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

const emulator = join(root, nativeFolder, "qemu-async-teardown");
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that shows how it was started: its name, its PID, whether it is protected, its arguments. */
function writeQemu(...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(
    file,
    `#!/bin/sh\nprintf '%s\\n' "$0" "\${ASYNC_TEARDOWN:+protected}" "$#" "$@"\necho "$$" >&2\n`,
  );
  chmodSync(file, 0o755);
  return file;
}

function link(...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, ".."), { recursive: true });
  symlinkSync(emulator, file);
  return file;
}

/** With an architecture that no real QEMU here has. */
const beside = writeQemu("beside/qemu-system-none1");
const inPath = writeQemu("path/qemu-system-none1");
writeQemu("path/qemu-system-none2");
const other = writeQemu("other/some-emulator");

interface Given {
  readonly words?: readonly string[];
  readonly env?: Record<string, string>;
}

async function started(name: string, { words = [], env = {} }: Given = {}) {
  const PATH = `${join(folder, "path")}:/usr/bin:/bin`;
  const { exitCode, stdout, stderr } = await runToEnd([name, ...words], { env: { PATH, ...env } });
  const [file, isProtected, , ...args] = stdout.split("\n");
  return { exitCode, file, isProtected: isProtected === "protected", args, stderr };
}

describe("the second name", () => {
  it("becomes the QEMU of its own name, beside it or in PATH, or the one of the variable", async () => {
    const names = [link("beside/qemu-async-teardown-none1"), link("links/qemu-async-teardown-none1")];

    expect(await started(names[0] ?? "")).toMatchObject({ exitCode: 0, file: beside, isProtected: true });
    expect(await started(names[1] ?? "")).toMatchObject({ file: inPath });
    expect(await started(link("links/qemu-async-teardown-none2"))).toMatchObject({
      file: join(folder, "path/qemu-system-none2"),
    });
    for (const name of [...names, emulator])
      expect(await started(name, { env: { ASYNC_TEARDOWN_QEMU: other } })).toMatchObject({ file: other });
  });

  it("keeps the PID, and every argument but those of teardown", async () => {
    const words = [
      "-name",
      "a b",
      "",
      "-async-teardown",
      "-run-with",
      "async-teardown=on,user=x",
      "-m",
      "1G",
    ];
    const [name] = [join(folder, "links/qemu-async-teardown-none1")];
    const { stdout, stderr } = await runToEnd(["sh", "-c", 'echo $$; exec "$0" "$@"', name ?? "", ...words], {
      env: { PATH: `${join(folder, "path")}:/usr/bin:/bin` },
    });

    expect(stdout.split("\n")[0]).toBe(stderr);
    expect((await started(name ?? "", { words })).args).toEqual([
      ...["-name", "a b", "", "-run-with", "user=x", "-m", "1G"],
    ]);
  });

  it.each([
    [["-version"]],
    [["--help"]],
    [["-S", "-machine", "none,accel=kvm:tcg", "-async-teardown"]],
    [["-M", "type=none"]],
    [["-device", "e1000,help"]],
    [["-cpu", "?"]],
  ])("hands a question as %j on as it is, unprotected", async (words) => {
    expect(await started(join(folder, "links/qemu-async-teardown-none1"), { words })).toMatchObject({
      exitCode: 0,
      isProtected: false,
      args: words,
    });
  });

  it.each([
    [["-name", "help"]],
    [["-append", "-version"]],
    [["-machine", "q35,none=on"]],
    [["-vga", "none"]],
    [["-m"]],
  ])("protects a machine with %j", async (words) => {
    expect(await started(join(folder, "links/qemu-async-teardown-none1"), { words })).toMatchObject({
      isProtected: true,
      args: words,
    });
  });

  it("obeys that no teardown is wanted", async () => {
    const words = ["-run-with", "async-teardown=off"];
    expect(await started(join(folder, "links/qemu-async-teardown-none1"), { words })).toMatchObject({
      isProtected: false,
      args: [],
    });
  });

  it("says in one line what it does not find", async () => {
    expect(await started(link("links/qemu-async-teardown-none3"))).toMatchObject({
      exitCode: 127,
      stderr:
        "async-teardown: there is no qemu-system-none3 in PATH or in /usr/bin; name it in the variable ASYNC_TEARDOWN_QEMU",
    });
    expect(await started(emulator, { env: { ASYNC_TEARDOWN_QEMU: "/nowhere/qemu" } })).toMatchObject({
      exitCode: 127,
      stderr: "async-teardown: '/nowhere/qemu': command not found",
    });
    for (const itself of [emulator, asyncTeardown])
      expect(await started(emulator, { env: { ASYNC_TEARDOWN_QEMU: itself } })).toMatchObject({
        exitCode: 126,
        stderr: expect.stringMatching(/^async-teardown: .* is async-teardown itself, and no QEMU; [^\n]+$/),
      });
  });

  it("starts a machine that cannot be protected, and says so", async () => {
    const alone = join(folder, "alone");
    mkdirSync(alone);
    copyFileSync(emulator, join(alone, "qemu-async-teardown")); // without its library
    expect(
      await started(join(alone, "qemu-async-teardown"), { env: { ASYNC_TEARDOWN_QEMU: other } }),
    ).toMatchObject({
      exitCode: 0,
      file: other,
      isProtected: false,
      stderr: expect.stringMatching(/^async-teardown: [^\n]+; it runs unprotected\n\d+$/),
    });
  });
});
