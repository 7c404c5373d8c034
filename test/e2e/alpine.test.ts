/** A root as Alpine's: busybox, musl, the package as npm installs it, and neither glibc nor Node.js. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildFolder } from "../../src/architectures.js";
import { missing } from "../support/component.js";
import { nativeFolder, root, target } from "../support/paths.js";
import { helperOf, isAlive, residentBytes, until } from "../support/proc.js";
import { ending, runToEnd, startReady } from "../support/start.js";

const lacks = [
  process.getuid?.() === 0 ? undefined : "chroot is for root",
  missing("musl-gcc", "musl-tools"),
  missing("busybox", "busybox-static"),
].find((reason) => reason !== undefined);

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const bytes = 64 << 20;

afterAll(() => rmSync(folder, { recursive: true }));

/** Puts a file there, from here. */
function place(from: string, to: string): void {
  mkdirSync(dirname(join(folder, to)), { recursive: true });
  copyFileSync(from, join(folder, to));
}

async function installAsNpm(): Promise<void> {
  const installed = "usr/lib/node_modules/async-teardown";

  for (const part of [
    "bin/async-teardown",
    "async-teardown",
    "async-teardown-holder",
    "libasync-teardown.so",
  ]) {
    const path = part.includes("/") ? part : join(nativeFolder, part);
    place(join(root, path), join(installed, path));
  }
  cpSync(join(root, "dist"), join(folder, installed, "dist"), { recursive: true });
  symlinkSync(
    "../lib/node_modules/async-teardown/bin/async-teardown",
    join(folder, "usr/bin/async-teardown"),
  );
}

describe.skipIf(lacks)(`where there is musl, and no Node.js (${lacks ?? "built from Debian's"})`, () => {
  const inside = (...words: string[]) => {
    const script = 'mount --bind /proc "$0/proc" && exec env odd.name=kept chroot "$0" "$@"';
    const clean = ["env", "-i", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"];

    return [...clean, "unshare", "--mount", "sh", "-c", script, folder, "async-teardown", ...words];
  };

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    for (const name of ["proc", "bin", "usr/bin"]) mkdirSync(join(folder, name), { recursive: true });
    place((await runToEnd(["which", "busybox"])).stdout, "bin/busybox");
    for (const name of ["bin/sh", "bin/od", "bin/tr", "bin/sed", "bin/readlink", "bin/uname", "usr/bin/env"])
      symlinkSync("/bin/busybox", join(folder, name));
    const loader = `/lib/ld-musl-${buildFolder}.so.1`;

    place(realpathSync(loader), loader);
    await installAsNpm();
    const compile = ["musl-gcc", "-O2", "-idirafter", "/usr/include", "-o", join(folder, "hog")];
    expect((await runToEnd([...compile, target("hog.c")])).stderr).toBe("");
  });

  it("protects a command, with its PID and its environment", async () => {
    const child = await startReady(inside("run", "--", "/hog", String(bytes), "stay"));
    const helper = helperOf(child.pid);
    const { stdout } = await runToEnd(["cat", `/proc/${child.pid}/environ`]);

    expect(stdout.split("\0")).toContain("odd.name=kept");
    process.kill(helper, "SIGSTOP");
    child.kill("SIGKILL");
    expect(await ending(child)).toBe("SIGKILL");
    expect(residentBytes(helper)).toBeGreaterThan(bytes);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("protects it without /proc, where the shell's environment has to do", async () => {
    const words = ["run", "--", "/hog", String(bytes), "stay"];
    const child = await startReady(["env", "plain=kept", "chroot", folder, "async-teardown", ...words]);
    const { stdout } = await runToEnd(["cat", `/proc/${child.pid}/environ`]);

    expect(stdout.split("\0")).toContain("plain=kept");
    expect(helperOf(child.pid)).toBeGreaterThan(0);
  });

  it("says in one line that what needs Node.js has none", async () => {
    const { exitCode, stderr } = await runToEnd(inside("ps"));

    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^async-teardown: cannot start Node.js[^\n]*$/);
  });
});
