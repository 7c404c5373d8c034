import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noHolder } from "../support/holder.js";
import { MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import {
  childrenOf,
  helperOf,
  helpersOf,
  holderOf,
  holdersOf,
  isAlive,
  isParked,
  link,
  status,
  until,
} from "../support/proc.js";
import { hog, runToEnd, startReady } from "../support/start.js";

const [EPERM, EINVAL, ENOSYS] = [1, 22, 38];

const command = (...words: (string | number)[]) => runToEnd([asyncTeardown, ...words.map(String)]);
const without = (denied: string, ...words: (string | number)[]) =>
  runToEnd([program("deny"), denied, asyncTeardown, ...words.map(String)]);

describe.skipIf(noHolder)(`attach and detach (${noHolder ?? "as root"})`, () => {
  it("protect a process, and undo it, with a word each", async () => {
    const { pid } = await startReady(hog(0, "stay"));

    expect(await command("attach", pid)).toMatchObject({
      exitCode: 0,
      stdout: `${pid}: protected by holder ${holderOf(pid)}`,
      stderr: "",
    });
    await until(() => isParked(holderOf(pid)), "it is held");
    expect(await command("detach", pid)).toMatchObject({
      exitCode: 0,
      stdout: `${pid}: not held any more`,
      stderr: "",
    });
    expect(holdersOf(pid)).toEqual([]);
  });

  it("do it to all that they can, and tell of each", async () => {
    const [one, two] = [await startReady(hog(0, "stay")), await startReady(hog(0, "stay"))];
    const attached = await command("attach", one.pid, 4_194_303, two.pid, one.pid);

    expect(attached.exitCode).toBe(125);
    expect(attached.stdout.split("\n")).toHaveLength(2);
    expect(attached.stderr).toBe("async-teardown: process 4194303 does not exist");
    const detached = await command("detach", one.pid, 4_194_303, two.pid);
    expect([detached.exitCode, detached.stdout.split("\n").length]).toEqual([125, 2]);
  });

  it("keep what several share, by the holder of the one that made the others", async () => {
    const { pid } = await startReady([program("sharer"), String(64 * MiB)]);
    const [child = 0] = childrenOf(pid);
    const keeps = (holder: number) =>
      readdirSync(`/proc/${holder}/fd`).some((fd) => link(holder, `fd/${fd}`) === "/dev/zero (deleted)");

    expect((await command("attach", child, pid)).exitCode).toBe(0);
    expect([keeps(holderOf(pid)), keeps(holderOf(child))]).toEqual([true, false]);
    await command("detach", child, pid);
  });

  it("tell machines", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const attached = await command("attach", "--json", pid, 4_194_303);

    expect(attached).toMatchObject({ exitCode: 125, stderr: "" });
    expect(JSON.parse(attached.stdout)).toEqual([
      { pid, holderPid: holderOf(pid) },
      { pid: 4_194_303, error: { code: "ERR_NO_PROCESS", message: "process 4194303 does not exist" } },
    ]);
    expect(JSON.parse((await command("detach", "--json", pid)).stdout)).toEqual([{ pid, detached: true }]);
  });

  it.each([
    [
      "create a userfaultfd",
      `userfaultfd:${ENOSYS}`,
      "ERR_KERNEL",
      /^it needs Linux 5.3 with CONFIG_USERFAULTFD/,
    ],
    ["open a pidfd", `pidfd_open:${ENOSYS}`, "ERR_KERNEL", /^it needs Linux 5.3/],
    ["open a pidfd", `pidfd_open:${EPERM}`, "ERR_NOT_PERMITTED", /^a holder needs CAP_SYS_PTRACE/],
    ["open a pidfd", `pidfd_open:${EINVAL}`, "ERR_HOLDER", undefined],
    ["start a session", `setsid:${EPERM}`, "ERR_HOLDER", /^a seccomp filter forbids it/],
    ["install a seccomp filter", `filter:${EPERM}`, "ERR_HOLDER", /^a seccomp filter forbids it/],
  ])("say that they could not %s (%s), by %s, and leave nothing behind", async (step, denied, code, why) => {
    const { pid } = await startReady(hog(0, "stay"));
    const { exitCode, stdout, stderr } = await without(denied, "attach", "--json", pid);
    const [{ error }] = JSON.parse(stdout);

    expect([exitCode, stderr]).toEqual([125, ""]);
    expect(error.code).toBe(code);
    expect(error.message).toContain(`process ${pid} cannot be held: could not ${step} (`);
    if (why) expect(error.advice).toMatch(why);
    else expect(error.advice).toBeUndefined();
    await until(() => helpersOf(pid).filter(isAlive).length === 0, "no holder is left");
  });

  it.skipIf(!existsSync("/dev/userfaultfd"))("take the device where the call is not permitted", async () => {
    const { pid } = await startReady(hog(0, "stay"));

    expect((await without(`userfaultfd:${EPERM}`, "attach", pid)).exitCode).toBe(0);
    await until(() => isParked(holderOf(pid)), "it is held");
  });

  it("are not for everybody: which capability or setting it takes is said", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const nobody = ["setpriv", "--reuid", "61234", "--clear-groups", asyncTeardown];
    const attached = await runToEnd([...nobody, "attach", String(pid)]);

    expect(attached.exitCode).toBe(125);
    expect(attached.stderr).toMatch(
      /cannot be held: could not open the target's environ \(EACCES\); a holder needs CAP_SYS_PTRACE/,
    );
    const own = [
      "setpriv",
      "--reuid",
      "61234",
      "--clear-groups",
      "sh",
      "-c",
      'exec "$0" attach $$',
      asyncTeardown,
    ];
    expect((await runToEnd(own)).stderr).toMatch(
      /could not create a userfaultfd \(EPERM\); .*vm.unprivileged_userfaultfd=1 or access to \/dev\/userfaultfd/,
    );
    await command("attach", pid);
    const detached = await runToEnd([...nobody, "detach", String(pid)]);
    expect(detached.exitCode).toBe(125);
    expect(isAlive(holderOf(pid))).toBe(true);
  });
});

describe("attach", () => {
  it.each([
    [[]],
    [["x"]],
    [["0"]],
    [["-1"]],
    [["1.5"]],
    [["99999999"]],
    [["--priority", "high", "1"]],
    [["--priorit", "low", "1"]],
  ])("is not to be called with %j (125)", async (words) => {
    const { exitCode, stderr } = await command("attach", ...words);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^async-teardown: error: .*; see --help$/);
  });
});

describe.skipIf(noHolder)("run --mechanism", () => {
  const run = (mechanism: string, ...words: string[]) => [
    asyncTeardown,
    "run",
    "--mechanism",
    mechanism,
    "--",
    ...words,
  ];

  it("helper, holder and both do what they say", async () => {
    const helper = await startReady(run("helper", ...hog(0, "stay")));
    expect([helpersOf(helper.pid).filter(isAlive).length, holdersOf(helper.pid).length]).toEqual([1, 0]);

    const holder = await startReady(run("holder", ...hog(0, "stay")));
    expect([helpersOf(holder.pid).filter(isAlive), status(holder.pid).Name]).toEqual([
      [holderOf(holder.pid)],
      "hog",
    ]);
    expect(readFileSync(`/proc/${holder.pid}/environ`, "latin1")).not.toContain("ASYNC_TEARDOWN=");

    const both = await startReady(run("both", ...hog(0, "stay")));
    expect([helpersOf(both.pid).filter(isAlive).length, holdersOf(both.pid).length]).toEqual([2, 1]);
    await until(() => isParked(holderOf(both.pid)), "the new image is held");
  });

  it("holder does not count on a helper that ends with the exec", async () => {
    const inner = run("holder", ...hog(0, "stay"));
    const { pid } = await startReady(run("helper", "sh", "-c", 'exec "$@"', "-", ...inner));

    await until(() => isParked(holderOf(pid)), "the new image is held");
  });

  it("auto takes a helper, if that can protect the program", async () => {
    const { pid } = await startReady(run("auto", ...hog(0, "stay")));
    expect(isAlive(helperOf(pid))).toBe(true);
    expect(holdersOf(pid)).toEqual([]);
  });

  it("both runs with one of them where the other fails, with best effort", async () => {
    const words = ["run", "--best-effort", "--mechanism", "both", "--", "sh", "-c", "echo $ASYNC_TEARDOWN"];
    const { exitCode, stdout, stderr } = await without(`userfaultfd:${ENOSYS}`, ...words);

    expect([exitCode, stdout.slice(0, 4)]).toEqual([0, "pid:"]);
    expect(stderr).toMatch(/could not create a userfaultfd \(ENOSYS\); .*; it runs without that$/);
  });

  it("holder refuses where it cannot be had", async () => {
    const { exitCode, stdout, stderr } = await without(
      `userfaultfd:${ENOSYS}`,
      ...["run", "--mechanism", "holder", "echo", "hello"],
    );
    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(/cannot be held: could not create a userfaultfd/);
  });
});
