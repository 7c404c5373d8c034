import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { asyncTeardown, program } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

/** A program that is called as a QEMU is, and shows what it is given: its arguments, and whether it is protected. */
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const qemu = join(folder, "qemu-system-x86_64");
const other = join(folder, "other");
for (const file of [qemu, other]) {
  // printf would show one empty argument where there is none.
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "\${ASYNC_TEARDOWN:+protected}" "$#" "$@"\n`);
  chmodSync(file, 0o755);
}
afterAll(() => rmSync(folder, { recursive: true }));

async function given(words: readonly string[], file = qemu, ...options: string[]) {
  const { exitCode, stdout, stderr } = await runToEnd(
    [asyncTeardown, "run", ...options, "--", file, ...words],
    {
      stripFinalNewline: false,
    },
  );
  const [isProtected, , ...args] = stdout.split("\n").slice(0, -1);
  return { exitCode, isProtected: isProtected === "protected", args, stderr };
}

describe("the options of a QEMU", () => {
  it.each([
    [
      ["-S", "-async-teardown", "-m", "1G"],
      ["-S", "-m", "1G"],
    ],
    [["--async-teardown", "disk.img"], ["disk.img"]],
    [["-perfmap", "-async-teardown"], ["-perfmap"]],
    [["-run-with", "async-teardown=on"], []],
    [
      ["--run-with", "async-teardown=on,chroot=/a,,b,user=x"],
      ["--run-with", "chroot=/a,,b,user=x"],
    ],
    [
      ["-run-with", "chroot=/a", "-run-with", "async-teardown=off", "-async-teardown"],
      ["-run-with", "chroot=/a"],
    ],
    [["-run-with", "async-teardown"], []],
    [["-run-with", "async-teardown=off,async-teardown=on"], []],
    [["-run-with", "async-teardown=on", "-run-with", "async-teardown=off"], []],
    [
      ["-run-with", ",async-teardown=on,user=y"],
      ["-run-with", ",user=y"],
    ],
  ])("%j are left as %j, and our protection is in their place", async (words, args) => {
    expect(await given(words)).toEqual({ exitCode: 0, isProtected: true, args, stderr: "" });
  });

  it.each([
    [["-run-with", "async-teardown=off"], []],
    [
      ["-run-with", "user=x,async-teardown=no", "-S"],
      ["-run-with", "user=x", "-S"],
    ],
    [["-run-with", "async-teardown=off", "-daemonize"], ["-daemonize"]],
    [["-run-with", "async-teardown=on,async-teardown=off"], []],
  ])("%j are obeyed, and nothing of ours is there", async (words, args) => {
    expect(await given(words)).toEqual({ exitCode: 0, isProtected: false, args, stderr: "" });
  });

  it.each([
    [["-name", "-async-teardown"]],
    [["-append", "-run-with", "async-teardown=on"]],
    [["-run-with", "chroot=/x,,async-teardown=on"]],
    [["-run-with", "async-teardown=perhaps"]],
    [["-run-with"]],
    [["-name", "-daemonize"]],
  ])("%j are QEMU's own business", async (args) => {
    expect(await given(args)).toEqual({ exitCode: 0, isProtected: true, args, stderr: "" });
  });

  it("are no others' options", async () => {
    expect((await given(["-async-teardown", "-daemonize"], other)).args).toEqual([
      "-async-teardown",
      "-daemonize",
    ]);
  });

  it("that daemonize have the process that stays protected, which only a helper can", async () => {
    const words = ["-S", "-daemonize", "-async-teardown"];
    const refused = await given(words, qemu, "--mechanism", "holder");

    expect(await given(words)).toMatchObject({ exitCode: 0, isProtected: true, args: ["-S", "-daemonize"] });
    expect([refused.exitCode, refused.args]).toEqual([125, []]);
    expect(refused.stderr).toMatch(/^async-teardown: what forks to stay [^\n]+\n$/);
  });

  it("in a file of -readconfig are told of, as QEMU does not heed them", async () => {
    const file = join(folder, "vm.cfg");
    const words = ["-readconfig", file];

    writeFileSync(file, '[machine]\n  type = "pc"\n[run-with]\n\tasync-teardown = "off"');
    expect(await given(words)).toEqual({
      exitCode: 0,
      isProtected: true,
      args: words,
      stderr: `async-teardown: ${file}: QEMU does not heed async-teardown in a file of -readconfig; say -run-with async-teardown=on or =off on its command line\n`,
    });
    for (const text of ["", '# async-teardown = "on"', '[name]\n  guest = "async-teardown = on"', "\0"]) {
      writeFileSync(file, text);
      expect((await given(words)).stderr).toBe("");
    }
    for (const name of [folder, "/nowhere", "/dev/full"])
      expect((await given(["-readconfig", name])).stderr).toBe("");
  });

  it("stay with the QEMU that could not be protected", async () => {
    const run = [asyncTeardown, "run", "--best-effort", "--mechanism", "holder", "--", qemu];
    const denied = "userfaultfd:38"; // as on a kernel without it
    const { stdout } = await runToEnd([program("deny"), denied, ...run, "-async-teardown"]);
    expect(stdout.split("\n").slice(1)).toEqual(["1", "-async-teardown"]);
  });

  it("are read as QEMU reads them, whatever stands beside them", async () => {
    const word = fc.oneof(
      fc.constantFrom("-async-teardown", "--async-teardown", "-run-with", "--run-with", "-S", "-nographic"),
      fc.constantFrom("-m", "-name", "-append", "disk.img", "", "-", "--", "---async-teardown"),
      fc
        .array(fc.constantFrom("async-teardown=on", "async-teardown", "chroot=/x", ",", "user=y", ""), {
          maxLength: 4,
        })
        .map((parts) => parts.join(",")),
    );
    const flags = ["async-teardown", "S", "nographic"];

    /** An option and its value, or one word. */
    function groups(words: readonly string[]): string[][] {
      const [first, second, ...rest] = words;
      if (first === undefined) return [];
      const name = first.startsWith("-") ? first.replace(/^--?/, "") : undefined;
      if (name === undefined || flags.includes(name) || second === undefined)
        return [[first], ...groups(words.slice(1))];
      return [[first, second], ...groups(rest)];
    }
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
        const expected = groups(words).filter(([option = ""]) => !/^--?async-teardown$/.test(option));
        const { args } = await given(words);
        const isRunWith = ([option = "", value]: string[]) =>
          /^--?run-with$/.test(option) && value !== undefined;
        const kept = groups(args ?? []);

        expect(kept.filter((group) => !isRunWith(group))).toEqual(
          expected.filter((group) => !isRunWith(group)),
        );
        expect(kept.filter(isRunWith).map(([, value = ""]) => value)).toEqual(
          expected
            .filter(isRunWith)
            .map(([, value = ""]) => [value, withoutTeardown(value)] as const)
            .filter(([before, after]) => after !== "" || before === after)
            .map(([, after]) => after),
        );
      }),
      { numRuns: 150 },
    );
  });
});

/** As util/qemu-option.c parts a value, one character after the other. */
function withoutTeardown(value: string): string {
  const parts = [""];

  for (let at = 0; at < value.length; at++) {
    if (value[at] !== ",") parts.push(`${parts.pop()}${value[at]}`);
    else if (value[at + 1] === ",") {
      parts.push(`${parts.pop()},,`);
      at++;
    } else parts.push("");
  }
  const others = parts.filter((part) => !/^async-teardown(=on)?$/.test(part));
  return others.length === parts.length ? value : others.join(",");
}
