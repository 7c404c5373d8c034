import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Check } from "../../src/doctor/check.js";
import type { Examination } from "../../src/doctor/examine.js";
import { mountedHierarchies } from "../../src/linux/holder-cgroup.js";
import { noHolder } from "../support/holder.js";
import { asyncTeardown, nativeFolder, program, root } from "../support/paths.js";
import { until } from "../support/proc.js";
import { runToEnd } from "../support/start.js";
import { onTerminal } from "../support/terminal.js";

const [EPERM, EAGAIN, EACCES, EINVAL, ENOSYS] = [1, 11, 13, 22, 38];

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const doctor = [asyncTeardown, "doctor", "--json"] as const;

interface Answer extends Examination {
  readonly exitCode: number | undefined;
  readonly check: (name: string) => Check | undefined;
}

/** An init that reaps at once. Otherwise each trial may wait for a second for that of this machine. */
const reaper = [program("reaper"), "-q"] as const;

/** What the doctor says where these words come before it. */
async function examineUnder(...words: string[]): Promise<Answer> {
  return answer(await runToEnd([...reaper, ...words, ...doctor]));
}

function answer({ exitCode, stdout, stderr }: Awaited<ReturnType<typeof runToEnd>>): Answer {
  expect(stderr).toBe("");
  const examination = JSON.parse(stdout) as Examination;
  return { ...examination, exitCode, check: (name) => examination.checks.find((each) => each.name === name) };
}

/** A copy of the package in a directory of that name, whose parts a test may spoil. */
function copyPackage(name: string): string {
  const copy = join(folder, name);

  mkdirSync(join(copy, nativeFolder), { recursive: true });
  for (const part of ["async-teardown", "async-teardown-holder", "libasync-teardown.so", "addon.node"])
    copyFileSync(join(root, nativeFolder, part), join(copy, nativeFolder, part));
  for (const part of ["dist", "package.json"])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

async function examineBy(copy: string): Promise<Answer> {
  const [, ...words] = doctor;
  return answer(await runToEnd([...reaper, join(copy, nativeFolder, "async-teardown"), ...words]));
}

const without = (denied: string) => examineUnder(program("deny"), denied);

/** Processes by their names, of all PID namespaces below this one. */
async function cleanups(): Promise<string[]> {
  const { stdout } = await runToEnd(["ps", "-eo", "stat=,comm="]);
  return stdout.split("\n").filter((line) => /^[^Z].* cleanup\//.test(line));
}

/** The cgroup tree of version 2, where it is mounted. */
const tree = mountedHierarchies().find(({ hierarchy }) => hierarchy === "");

const names = [
  ...["kernel", "native-parts", "pid-namespace", "yama", "huge-pages", "transparent-huge-pages", "swap"],
  ...["pidfd", "close_range", "unshare", "kcmp", "seccomp", "userfaultfd", "perf-events", "cgroup"],
  ...["core-dumps", "orphans", "run", "attach"],
];

describe("doctor", () => {
  it("tries everything, and says that run works here", async () => {
    const { exitCode, run, checks, check } = await examineUnder();

    expect([exitCode, run]).toEqual([0, true]);
    expect(checks.map(({ name }) => name)).toEqual(names);
    for (const name of ["native-parts", "seccomp", "pidfd", "run", "core-dumps"])
      expect(check(name)).toMatchObject({ status: "ok" });
    for (const { status, advice } of checks)
      expect(advice === undefined).toBe(status === "ok" || status === "info");
  });

  it("tells people the same, a line each and the verdict last, without colours", async () => {
    const { exitCode, stdout, stderr } = await runToEnd([...reaper, asyncTeardown, "doctor"]);
    const lines = stdout.split("\n");

    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(lines.filter((line) => !line.startsWith(" ")).map((line) => line.split(" ")[0])).toEqual([
      ...names,
      "`run`",
    ]);
    expect(lines.at(-1)).toMatch(/^`run` works here; `attach` (works here|does not work here: .+)$/);
    expect(stdout).not.toContain("\x1b");
  });

  it("has colours on a terminal, unless NO_COLOR is set", async () => {
    expect((await onTerminal("doctor")).replaceAll("\x1b[", "<")).toMatch(/^kernel +<32mok +<39m/m);
    expect(await onTerminal("doctor", { NO_COLOR: "1" })).toMatch(/^kernel +ok/m);
  });

  it("leaves no process and no core behind", async () => {
    const before = await cleanups();
    const empty = mkdtempSync(join(folder, "empty-"));
    const words = ["sh", "-c", 'ulimit -c unlimited; cd "$0" && exec "$@"', empty];

    expect((await examineUnder(...words)).check("core-dumps")).toMatchObject({ status: "ok" });
    expect(readdirSync(empty)).toEqual([]);
    expect((await cleanups()).length).toBeLessThanOrEqual(before.length);
  });

  it.each([
    ["pidfd", `pidfd_open:${ENOSYS}`, "missing", /^pidfd_open: ENOSYS$/],
    ["pidfd", `pidfd_send_signal:${EPERM}`, "missing", /^pidfd_send_signal: EPERM$/],
    ["close_range", `close_range:${ENOSYS}`, "limited", /^close_range: ENOSYS$/],
    ["unshare", `unshare:${EPERM}`, "limited", /^unshare: EPERM$/],
    ["kcmp", `kcmp:${ENOSYS}`, "limited", /^kcmp: ENOSYS$/],
    ["userfaultfd", `userfaultfd:${ENOSYS}`, "missing", /^userfaultfd: ENOSYS, /],
    ["perf-events", `perf_event_open:${EACCES}`, "limited", /^perf_event_open: EACCES \(/],
  ])(
    "says that %s is not there (%s), and that run works all the same",
    async (name, denied, status, found) => {
      const { exitCode, run, checks, check } = await without(denied);

      expect([exitCode, run]).toEqual([0, true]);
      expect(check(name)).toMatchObject({ status, found: expect.stringMatching(found), advice: /./ });
      // And nothing else that the machine has.
      const others = checks.filter((each) => each.status === "missing" && each.name !== name);
      expect(
        others.map((each) => each.name).filter((each) => !["attach", "userfaultfd"].includes(each)),
      ).toEqual([]);
    },
  );

  it.each([
    [`clone-vm:${EAGAIN}`, /could not clone the helper \(EAGAIN: .*ulimit -u/],
    [`filter:${EINVAL}`, /could not install a seccomp filter \(EINVAL/],
    [`setsid:${EPERM}`, /could not start a session/],
  ])("says why run does not work (%s), and ends with 1", async (denied, found) => {
    const { exitCode, run, check } = await without(denied);

    expect([exitCode, run]).toEqual([1, false]);
    expect(check("run")).toMatchObject({ status: "missing", found: expect.stringMatching(found) });
    const { exitCode: code, stdout } = await runToEnd([
      ...reaper,
      program("deny"),
      denied,
      asyncTeardown,
      "doctor",
    ]);
    expect(code).toBe(1);
    expect(stdout.split("\n").at(-1)).toMatch(/^`run` does not work here: /);
  });

  it("says that the addon cannot be loaded, and tries nothing that takes it", async () => {
    const copy = copyPackage("spoilt");
    writeFileSync(join(copy, nativeFolder, "addon.node"), "this is no library");
    const { exitCode, run, attach, check } = await examineBy(copy);

    expect([exitCode, run, attach]).toEqual([1, false, false]);
    expect(check("native-parts")).toMatchObject({
      status: "missing",
      found: expect.stringMatching(/addon.node: /),
      advice: expect.stringMatching(/^install the package anew, /),
    });
  });

  it("says that the holder cannot be executed, and that run works all the same", async () => {
    const copy = copyPackage("not-executable");
    chmodSync(join(copy, nativeFolder, "async-teardown-holder"), 0o644);
    const { exitCode, run, attach, check } = await examineBy(copy);

    expect([exitCode, run, attach]).toEqual([0, true, false]);
    expect(check("native-parts")).toMatchObject({
      status: "missing",
      found: expect.stringMatching(/EACCES$/),
    });
  });

  it("says that the package is under a path that cannot be preloaded", async () => {
    const { exitCode, run, check } = await examineBy(copyPackage("two words"));

    const why = "is installed under a path that LD_PRELOAD cannot name: ";

    expect(check("native-parts")?.found.slice(0, why.length)).toBe(why);
    expect([exitCode, run]).toEqual(noHolder ? [1, false] : [0, true]); // `run` takes a holder
    expect(check("run")).toMatchObject({
      status: noHolder ? "missing" : "limited",
      found: expect.stringMatching(
        noHolder ? /^is installed under/ : /^by a holder only: is installed under/,
      ),
    });
  });

  it("does without /proc of its own PID namespace", async () => {
    const { exitCode, check } = await examineUnder("unshare", "--user", "--map-root-user", "--pid", "--fork");

    expect(exitCode).toBe(1);
    expect(check("run")?.found).toBe("/proc is not mounted, or is another PID namespace's");
  });
});

describe.skipIf(noHolder)(`doctor (${noHolder ?? "as root"})`, () => {
  it("says that attach works here", async () => {
    const { attach, check } = await examineUnder();

    expect(attach).toBe(true);
    expect(check("attach")).toMatchObject({ status: "ok" });
    expect(check("userfaultfd")).toMatchObject({ status: "ok" });
  });

  it("says why attach does not work, with what it takes", async () => {
    const { exitCode, attach, check } = await without(`userfaultfd:${ENOSYS}`);

    expect([exitCode, attach]).toEqual([0, false]);
    expect(check("attach")).toMatchObject({
      status: "missing",
      found: expect.stringMatching(/^process \d+ cannot be held: could not create a userfaultfd \(ENOSYS\)$/),
      advice: expect.stringMatching(/^it needs Linux 5.3 with CONFIG_USERFAULTFD/),
    });
  });

  it("tells an ordinary user what attach would take, and that run works", async () => {
    const { exitCode, run, attach, check } = await examineUnder(
      "setpriv",
      "--reuid",
      "61234",
      "--clear-groups",
    );

    expect([exitCode, run, attach]).toEqual([0, true, false]);
    expect(check("userfaultfd")).toMatchObject({
      status: "missing",
      found: "userfaultfd: EPERM, /dev/userfaultfd: EACCES",
      advice: expect.stringMatching(/CAP_SYS_PTRACE .*vm.unprivileged_userfaultfd=1 or access to/),
    });
    expect(check("cgroup")).toMatchObject({ status: "limited", found: expect.stringMatching(/\(EACCES\)$/) });
  });

  const inPidNamespace = ["unshare", "--pid", "--fork", "--mount-proc"];

  it("says what a container's PID namespace means, and that its init reaps", async () => {
    const { exitCode, check } = await examineUnder(...inPidNamespace, "sh", "-c", '"$@"; exit $?', "-");

    expect(exitCode).toBe(0);
    expect(check("pid-namespace")).toMatchObject({
      status: "limited",
      advice: expect.stringMatching(/PID 1/),
    });
    expect(check("orphans")).toMatchObject({ status: "ok" });
  });

  it("says that an init that does not reap leaves zombies, where it is that itself", async () => {
    const { exitCode, check } = await examineUnder(...inPidNamespace);

    expect(exitCode).toBe(0);
    expect(check("pid-namespace")?.found).toMatch(/this process is its init/);
    expect(check("orphans")).toMatchObject({
      status: "limited",
      found: "process 1 (node) has left a helper that ended a zombie for a second",
      advice: expect.stringMatching(/docker run --init/),
    });
  });

  it("says that the cgroup tree cannot be written, or is not there", async () => {
    const under = async (change: string) =>
      (await examineUnder("unshare", "--mount", "sh", "-c", `${change}; exec "$@"`, "-")).check("cgroup");
    const trees = "$(findmnt -rno TARGET -t cgroup,cgroup2)";

    expect(await under(`for tree in ${trees}; do mount -o remount,bind,ro "$tree"; done`)).toMatchObject({
      status: "limited",
      found: expect.stringMatching(/\(EROFS\)$/),
    });
    expect(await under(`for tree in ${trees}; do umount -l "$tree"; done`)).toMatchObject({
      status: "limited",
      found: expect.stringMatching(/no cgroup tree is mounted$/),
    });
  });

  // In a cgroup namespace, whose top is a cgroup of the test's own.
  it.skipIf(!tree)("removes the cgroup that it made, and leaves one that was there", async () => {
    const outer = `${tree?.mountPoint}/async-teardown-test-${process.pid}`;
    const own = "/sys/fs/cgroup/async-teardown";
    const inside = `
      umount -l $(findmnt -rno TARGET -t cgroup,cgroup2) && mount -t cgroup2 none /sys/fs/cgroup || exit 97
      test ! -e ${own} && "$@" && test ! -e ${own} || exit 98
      mkdir ${own} && "$@" >/dev/null && rmdir ${own} || exit 99`;
    const enter = 'echo $$ > "$0/cgroup.procs" && exec unshare --cgroup --mount sh -c "$@"';

    mkdirSync(outer);
    const { exitCode, stdout, stderr } = await runToEnd([
      ...reaper,
      "sh",
      "-c",
      enter,
      outer,
      inside,
      "-",
      ...doctor,
    ]);
    await until(() => readFileSync(`${outer}/cgroup.events`, "utf8").includes("populated 0"), "it is empty");
    rmdirSync(outer);

    expect([exitCode, stderr]).toEqual([0, ""]);
    const { attach, checks } = JSON.parse(stdout) as Examination;
    expect([attach, checks.find(({ name }) => name === "cgroup")?.found]).toEqual([
      true,
      "version 2 (/sys/fs/cgroup); writable",
    ]);
  });
});
