import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { list, watch } from "../../src/index.js";
import { missing } from "../support/component.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown, nativeFolder, program, root } from "../support/paths.js";
import {
  helperOf,
  helpersOf,
  isAlive,
  killWhileHelperStands,
  residentBytes,
  until,
} from "../support/proc.js";
import { ending, run, runToEnd, type Started, start } from "../support/start.js";

const noQemu = missing("qemu-system-x86_64", "qemu-system-x86");
const guest = Math.floor(affordable(1024 * MiB) / MiB) * MiB;

/** A real machine with its memory filled, in small pages so that its teardown takes a while. */
async function startQemu(): Promise<Started> {
  const words = ["qemu-system-x86_64", "-accel", "tcg", "-S", "-display", "none", "-nodefaults"];
  const memory = ["-m", `${guest / MiB}M`, "-mem-prealloc", "-async-teardown"];
  const child = start([program("small-pages"), ...words, ...memory], { stdio: "ignore" });

  await until(
    () => residentBytes(child.pid) > guest && helpersOf(child.pid).length > 0,
    "QEMU has its memory",
  );
  return child;
}

const rowOf = async ({ pid }: Started) => (await list()).addressSpaces.find(({ target }) => target === pid);

describe.skipIf(noQemu)(`QEMU with its own -async-teardown (${noQemu ?? "Debian's"})`, () => {
  it("is listed as what it is, alive and dead", async () => {
    const child = await startQemu();
    const helper = helperOf(child.pid);

    expect(await rowOf(child)).toMatchObject({
      state: "protected",
      protectors: [{ pid: helper, mechanism: "qemu" }],
    });
    expect((await runToEnd([asyncTeardown, "ps"])).stdout).toMatch(
      new RegExp(`${child.pid} +qemu-system-x86_64 .* QEMU's helper +protected`),
    );

    process.kill(helper, "SIGSTOP");
    child.kill("SIGKILL");
    await ending(child);
    const row = await rowOf(child);
    expect(row).toMatchObject({ state: "target gone", protectors: [{ pid: helper, mechanism: "qemu" }] });
    expect(row?.heldBytes).toBeGreaterThan(guest);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "QEMU's helper is gone");
    expect(await rowOf(child)).toBeUndefined();
  });

  it("is waited for until its memory is back", async () => {
    const child = await startQemu();
    const helper = helperOf(child.pid);
    const waiting = runToEnd([asyncTeardown, "wait", String(child.pid)]);

    child.kill("SIGTERM");
    const { exitCode, stdout } = await waiting;
    expect([exitCode, isAlive(helper)]).toEqual([0, false]);
    expect(stdout).toMatch(new RegExp(`^${child.pid}: `));
  });

  it("is watched from its death, with the size that it had", async () => {
    const child = await startQemu();
    const states = new Set<string>();
    let last: number | null = null;

    for await (const { state, initialBytes } of watch(child.pid, { interval: 10 })) {
      if (states.size === 0) child.kill("SIGKILL");
      states.add(state);
      last = initialBytes;
    }
    expect([...states].at(0)).toBe("protected");
    expect([...states].at(-1)).toBe("ended");
    if (states.has("target gone")) expect(last).toBeGreaterThan(guest);
  });
});

/** The options that the launcher takes for ones without a value. */
const [, table = ""] =
  /flags\[\]\[\d+\] = \{([^}]*)\}/.exec(readFileSync(join(root, "native/launcher/qemu.c"), "utf8")) ?? [];
const flags = [...table.matchAll(/^\t"[^\n]*/gm)]
  .flatMap(([line]) => [...line.matchAll(/"([\w-]+)"/g)])
  .map(([, name]) => name ?? "");

/** Whether this QEMU takes the next word for the option's value; it complains of the first that is none. */
async function takesValue(option: string): Promise<boolean | undefined> {
  const { stderr } = await runToEnd(["qemu-system-x86_64", `-${option}`, "--none-a", "--none-b"]);
  const [, first] = /--none-([ab]): invalid option/.exec(stderr) ?? [];
  return first === undefined ? undefined : first === "b";
}

describe.skipIf(noQemu)("QEMU under run", () => {
  it("takes a value for the same options as run does", { timeout: 120_000 }, async () => {
    const { stdout } = await runToEnd(["qemu-system-x86_64", "-help"]);
    const options = [...stdout.matchAll(/^--?(\w[\w-]*)/gm)].map(([, name]) => name ?? "");
    const known = [...new Set([...options, ...flags])];
    const wrong: string[] = [];

    for (const option of known) {
      const takes = await takesValue(option);
      if (takes !== undefined && takes === flags.includes(option)) wrong.push(option);
    }
    expect([flags.length > 40, options.length > 80, wrong]).toEqual([true, true, []]);
  });

  it.each([["-async-teardown"], ["-run-with async-teardown=on"], [""]])(
    "with '%s' has our helper and no other",
    async (options) => {
      const words = [
        "qemu-system-x86_64",
        "-accel",
        "tcg",
        "-S",
        "-display",
        "none",
        "-nodefaults",
        "-sandbox",
        "on,spawn=deny",
      ];
      const child = start([...run, ...words, "-m", "64M", ...options.split(" ").filter(Boolean)], {
        stdio: "ignore",
      });

      await until(
        () =>
          helpersOf(child.pid).length > 0 &&
          readFileSync(`/proc/${child.pid}/comm`, "utf8").startsWith("qemu"),
        "QEMU runs",
      );
      await until(() => residentBytes(child.pid) > 16 * MiB, "QEMU is set up");
      expect((await rowOf(child))?.protectors).toEqual([
        expect.objectContaining({ pid: helperOf(child.pid), mechanism: "helper" }),
      ]);
    },
  );

  const isRoot = process.getuid?.() === 0;
  const userOf = (pid: number) => /^Uid:\t\d+\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

  it.skipIf(!isRoot).each([
    ["-runas nobody", [], "65534"],
    ["-runas nobody -chroot /tmp", [], "65534"],
    ["-incoming defer", [], "0"],
    ["-netdev user,id=n -device e1000,netdev=n", ["unshare", "--net"], "0"],
  ])("with '%s' below %j outlives its end by its memory alone", async (options, below, user) => {
    const words = ["-accel", "tcg", "-S", "-display", "none", "-nodefaults", "-m", "64M"];
    const more = ["-sandbox", "on,spawn=deny", ...options.split(" ")];
    const child = start([...below, ...run, "qemu-system-x86_64", ...words, ...more], { stdio: "ignore" });

    await until(
      () => helpersOf(child.pid).length > 0 && residentBytes(child.pid) > 16 * MiB,
      "QEMU is set up",
    );
    await until(() => userOf(child.pid) === user, "QEMU is its user's");
    const helper = helperOf(child.pid);
    process.kill(helper, "SIGSTOP");
    child.kill("SIGKILL");
    expect(await ending(child)).toBe("SIGKILL");
    expect([isAlive(helper), residentBytes(helper) > 16 * MiB]).toEqual([true, true]);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "its memory is back");
  });

  it("that daemonizes leaves a process that is protected, in its sandbox, too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
    const file = join(folder, "pid");
    const words = [
      "qemu-system-x86_64",
      "-accel",
      "tcg",
      "-S",
      "-display",
      "none",
      "-nodefaults",
      "-m",
      "64M",
    ];
    const options = ["-async-teardown", "-sandbox", "on", "-daemonize", "-pidfile", file];

    expect(await runToEnd([...run, ...words, ...options])).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
    const pid = Number(readFileSync(file, "utf8"));
    try {
      await killWhileHelperStands(pid);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What libvirt asks a QEMU, among other things, for its capabilities. */
const asking = ["-S", "-no-user-config", "-nodefaults", "-display", "none", "-machine", "none,accel=tcg"];
const questions = [
  "qmp_capabilities",
  "query-command-line-options",
  "query-commands",
  "query-qmp-schema",
  "quit",
];

describe.skipIf(noQemu)("our emulator", () => {
  const emulator = join(root, nativeFolder, "qemu-async-teardown");
  const real = "/usr/bin/qemu-system-x86_64";
  const env = { ASYNC_TEARDOWN_QEMU: real };

  it.each([[["-version"]], [["-help"]], [["-machine", "help"]], [["-device", "e1000,help"]], [["-no-such"]]])(
    "answers %j as QEMU does, byte for byte",
    async (words) => {
      const [ours, its] = await Promise.all(
        [emulator, real].map((file) => runToEnd([file, ...words], { env, stripFinalNewline: false })),
      );
      expect({ ...ours, pid: 0 }).toEqual({ ...its, pid: 0 });
    },
  );

  it("answers over QMP as QEMU does, byte for byte", async () => {
    const input = questions.map((execute) => `${JSON.stringify({ execute })}\n`).join("");
    const [ours, its] = await Promise.all(
      [emulator, real].map(
        async (file) => (await runToEnd([file, ...asking, "-qmp", "stdio"], { env, input })).stdout,
      ),
    );
    const timeless = (text = "") => text.replace(/"timestamp": \{[^}]*\}/g, "");

    expect(ours).toContain('"option": "machine"');
    expect(timeless(ours)).toBe(timeless(its));
  });
});
