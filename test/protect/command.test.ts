import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { AsyncTeardownError } from "../../src/errors.js";
import { examineCommand, type Identity } from "../../src/linux/native.js";
import { missing } from "../support/component.js";
import { elfMachine } from "../support/elf.js";
import { asyncTeardown, program } from "../support/paths.js";
import { holdersOf, isParked, status, until } from "../support/proc.js";
import { run, runToEnd, startReady } from "../support/start.js";

const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string | Buffer, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
}

function copyOf(program: string, name: string, mode: number): string {
  const path = join(folder, name);
  copyFileSync(program, path);
  if (isRoot) chownSync(path, 61234, 61234);
  chmodSync(path, mode); // after chown, which takes the bits away
  return path;
}

function verdict(path: string, identity: Identity = {}): string {
  try {
    examineCommand({ command: path, path: process.env.PATH, ...identity });
    return "protectable";
  } catch (error) {
    if (error instanceof AsyncTeardownError) return error.code;
    throw error;
  }
}

/** An ELF file with so many program headers, all of them empty, of this word size and machine. */
function elf(wordSize: 1 | 2, machine: number, count = 1): Buffer {
  const header = Buffer.alloc(64 + count * 56);
  header.write("\x7fELF", "latin1");
  header[4] = wordSize;
  header[5] = 1;
  header.writeUInt16LE(machine, 18);
  header.writeUInt8(64, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(count, 56);
  return header;
}

describe("what can be protected", () => {
  it("is a dynamically linked program of this architecture, and a script for one", () => {
    expect(verdict(process.execPath)).toBe("protectable");
    expect(verdict("/bin/sh")).toBe("protectable");
    expect(verdict(file("script", "#!/bin/sh -e\n"))).toBe("protectable");
    expect(verdict(file("by-env", "#!/usr/bin/env sh\n"))).toBe("protectable");
    expect(verdict(file("no-first-line", "echo hello\n"))).toBe("protectable");
    expect(verdict(file("empty", ""))).toBe("protectable");
  });

  it("is not a program of another architecture or word size", () => {
    expect(verdict(file("32-bit", elf(1, 3)))).toBe("ERR_ARCHITECTURE");
    expect(verdict(file("x32", elf(1, 62)))).toBe("ERR_ARCHITECTURE");
    expect(verdict(file("risc-v", elf(2, 243)))).toBe("ERR_ARCHITECTURE");
  });

  it("is what is damaged so that the kernel refuses it, and a shell is started for it, as for plain exec", async () => {
    const damaged = [
      file("short", "\x7fELF"),
      file("huge-headers", elf(2, elfMachine).fill(0xff, 54, 56)),
      file("far-headers", elf(2, elfMachine).fill(0xff, 32, 40)),
      file("missing-headers", elf(2, elfMachine).fill(1, 56, 58)),
      file("no-headers", elf(2, elfMachine, 0)),
      file("too-many-headers", elf(2, elfMachine, 1171)),
    ];

    for (const path of damaged) {
      expect(verdict(path)).toBe("protectable");
      const at = { cwd: folder }; // the shell takes a '>' in there for its own
      expect((await runToEnd([...run, path], at)).exitCode).toBe(
        (await runToEnd(["env", path], at)).exitCode,
      );
    }
  });

  it("is not a static program, nor a script for one, however many scripts are between", () => {
    const program = file("static", elf(2, elfMachine));

    expect(verdict(program)).toBe("ERR_STATIC");
    expect(verdict(file("level-1", `#!${program}\n`))).toBe("ERR_STATIC");
    expect(verdict(file("level-2", `#! ${join(folder, "level-1")} x\n`))).toBe("ERR_STATIC");
    expect(verdict(file("behind-env", `#!/usr/bin/env -S A=1 ${program} -x\n`))).toBe("ERR_STATIC");
  });

  it("is no endless chain of scripts", () => {
    expect(verdict(file("ring", `#!${join(folder, "ring")}\n`))).toBe("ERR_NOT_EXECUTABLE");
  });

  it("is no script without its interpreter", () => {
    expect(verdict(file("orphan", "#!/no/such/interpreter\n"))).toBe("ERR_NOT_FOUND");
    expect(verdict(file("orphan-of-env", "#!/usr/bin/env no-such-command\n"))).toBe("ERR_NOT_FOUND");
  });

  it("is judged by what a link leads to", () => {
    symlinkSync("/bin/sh", join(folder, "link"));
    expect(verdict(join(folder, "link"))).toBe("protectable");
  });

  it.skipIf(!isRoot)("is not a set-user-ID or set-group-ID program of another user", () => {
    expect(verdict(copyOf("/bin/true", "set-uid", 0o4755))).toBe("ERR_SET_ID");
    expect(verdict(copyOf("/bin/true", "set-gid", 0o2755))).toBe("ERR_SET_ID");
    expect(verdict(copyOf("/bin/true", "locking", 0o2745))).toBe("protectable");
  });

  it.skipIf(isRoot)("is not what may be executed but not read (root reads everything)", () => {
    expect(verdict(copyOf("/bin/true", "unreadable", 0o111))).toBe("ERR_UNREADABLE");
  });
});

describe("run, of what a helper cannot protect", () => {
  it.skipIf(!isRoot)("refuses a file without a format, where /bin/sh is a static program", async () => {
    const withSuchAShell = 'mount --bind "$0" "$(readlink -f /bin/sh)" && exec "$@"';
    const inNamespace = ["unshare", "--mount", "bash", "-c", withSuchAShell, asyncTeardown];
    const byHelper = [
      asyncTeardown,
      "run",
      "--mechanism",
      "helper",
      "--",
      file("for-a-shell", "echo hello\n"),
    ];
    const { exitCode, stdout, stderr } = await runToEnd([...inNamespace, ...byHelper]);

    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(
      /^async-teardown: '\/bin\/sh' cannot be protected by a helper: it is statically linked/,
    );
  });

  it.skipIf(!isRoot)("refuses a set-user-ID program, or runs it with a warning", async () => {
    const path = copyOf("/usr/bin/id", "set-uid-id", 0o4755);
    const byHelper = [asyncTeardown, "run", "--mechanism", "helper"];
    const refused = await runToEnd([...byHelper, path, "-u"]);
    expect([refused.exitCode, refused.stdout]).toEqual([125, ""]);
    expect(refused.stderr).toMatch(
      /it is set-user-ID, and such programs ignore LD_PRELOAD; --best-effort .*runs it unprotected$/,
    );

    const { exitCode, stdout, stderr } = await runToEnd([...byHelper, "--best-effort", path, "-u"]);
    expect([exitCode, stdout]).toEqual([0, "61234"]);
    expect(stderr).toMatch(/it runs unprotected$/);
  });

  it.skipIf(!isRoot)("has it held by a holder, also when it has another user's rights", async () => {
    const path = copyOf(program("hog"), "set-uid-hog", 0o4755);
    const child = await startReady([...run, path, "0", "stay"]);

    expect(status(child.pid).Uid?.split("\t")[1]).toBe("61234");
    await until(() => holdersOf(child.pid).some(isParked), "the new image is held");
  });
});

const noSetcap = missing("setcap", "libcap2-bin");

describe("file capabilities", () => {
  it.skipIf(!isRoot || noSetcap)(`are seen (${noSetcap ?? "setcap is there"})`, async () => {
    const path = copyOf("/bin/true", "capable", 0o755);
    const user = { user: 61234, group: 61234 };

    expect(verdict(path, user)).toBe("protectable");
    await execa("setcap", ["cap_net_raw+ep", path]);
    expect(verdict(path)).toBe("protectable"); // root gains nothing by them, so the loader trusts it
    expect(verdict(path, user)).toBe("ERR_FILE_CAPABILITIES");
  });
});
