import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { AsyncTeardownError } from "../../src/errors.js";
import { spawn } from "../../src/protect/spawn.js";
import { elfMachine } from "../support/elf.js";
import { program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, residentBytes, until } from "../support/proc.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function track<Child extends ChildProcess>(child: Child): Child {
  children.push(child);
  return child;
}

describe("spawn", () => {
  it("starts a child protected", async () => {
    const child = track(spawn(program("hog"), [String(64 << 20), "stay"]));
    await once(child.stdout, "data");
    const helper = helperOf(child.pid as number);

    process.kill(helper, "SIGSTOP");
    child.kill("SIGKILL");
    expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
    expect(residentBytes(helper)).toBeGreaterThan(64 << 20);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("takes the arguments of node:child_process's, in all their shapes", async () => {
    const output = async (child: ChildProcess) =>
      String((await once(child.stdout as Readable, "data"))[0]).trim();

    expect(await output(track(spawn("pwd", { cwd: folder })))).toBe(folder);
    expect(await output(track(spawn("echo", ["hello"])))).toBe("hello");
    expect(await output(track(spawn("echo $A", { shell: true, env: { A: "by shell" } })))).toBe("by shell");

    const third = track(
      spawn("sh", ["-c", "echo by descriptor >&3"], { stdio: ["ignore", "ignore", "ignore", "pipe"] }),
    );
    expect(String((await once(third.stdio[3] as Readable, "data"))[0])).toBe("by descriptor\n");
  });

  it("keeps the channel between Node.js processes", async () => {
    const child = track(
      spawn(process.execPath, ["-e", "process.send('hello')"], {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      }),
    );
    expect(await once(child, "message")).toContain("hello");
  });

  it("leaves it to the event 'error' to say that a command is not there or not executable", async () => {
    const [absent] = (await once(spawn("no-such-command", { env: { PATH: "/bin" } }), "error")) as [
      NodeJS.ErrnoException,
    ];
    expect(absent.code).toBe("ENOENT");
    const [forbidden] = (await once(spawn("/etc/passwd"), "error")) as [NodeJS.ErrnoException];
    expect(forbidden.code).toBe("EACCES");
  });

  it("finds a command by the PATH and in the directory that the child is to have", async () => {
    writeFileSync(join(folder, "mine"), "#!/bin/sh\necho mine\n");
    chmodSync(join(folder, "mine"), 0o755);

    for (const options of [{ env: { PATH: folder } }, { cwd: folder, env: { PATH: "." } }])
      expect(String((await once(spawn("mine", options).stdout, "data"))[0])).toBe("mine\n");
  });

  it("throws for what a helper cannot protect, or runs it with a warning", async () => {
    const path = join(folder, "static");
    // A statically linked program that exits with code 3, by hand: the smallest thing that is one.
    writeFileSync(path, smallestStaticProgram(), { mode: 0o755 });

    expect(() => spawn(path)).toThrow(AsyncTeardownError);
    expect(() => spawn(path)).toThrow(expect.objectContaining({ code: "ERR_STATIC" }));

    const warned = once(process, "warning");
    const child = spawn(path, { bestEffort: true });
    const exited = once(child, "exit");
    expect((await warned)[0]).toMatchObject({ name: "AsyncTeardownWarning", code: "ERR_STATIC" });
    expect(await exited).toEqual([3, null]);
    expect(helpersOf(child.pid as number)).toEqual([]);
  });
});

/** 64-bit ELF header, one PT_LOAD, and "exit(3)". */
function smallestStaticProgram(): Buffer {
  const code =
    process.arch === "arm64"
      ? Buffer.from("600080d2a80b80d2010000d4", "hex") // mov x0, 3; mov x8, 93; svc 0
      : Buffer.from("b83c000000bf030000000f05", "hex"); // mov eax, 60; mov edi, 3; syscall
  const file = Buffer.alloc(120 + code.length);
  const address = 0x400000n;

  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(elfMachine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(address + 120n, 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  file.writeBigUInt64LE(address, 80);
  file.writeBigUInt64LE(address, 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  code.copy(file, 120);
  return file;
}
