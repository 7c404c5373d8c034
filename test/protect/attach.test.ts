import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AsyncTeardownError } from "../../src/errors.js";
import { attach } from "../../src/protect/attach.js";
import { detach, detachFrom } from "../../src/protect/detach.js";
import { wait } from "../../src/teardown/watch.js";
import { type Ending, endWhileHeld, noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import {
  helperOf,
  helpersOf,
  holderOf,
  holdersOf,
  isAlive,
  isParked,
  sessionOf,
  until,
} from "../support/proc.js";
import { ending, hog, protect, runToEnd, type Started, start, startReady } from "../support/start.js";

const bytes = affordable(64 * MiB);

/** A session of two processes, whose leader is the big one. */
const inSession = ["setsid", "sh", "-c", 'sleep 1000 & exec "$@"', "-", ...hog(bytes, "stay")];

/** The first child of a process, as soon as there is one. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0]);
}

/** Kills all that is in the session of this process. */
function killSession({ pid }: Started): void {
  for (const each of readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number))
    if (sessionOf(each) === pid) process.kill(each, "SIGKILL");
}

/** The process, stopped as by Ctrl-Z. */
function stopped({ pid }: Started): number[] {
  process.kill(pid, "SIGSTOP");
  return [pid];
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  return error instanceof AsyncTeardownError ? `${error.code}: ${error.message}` : String(error);
}

describe.skipIf(noHolder)(`attach (${noHolder ?? "as root"})`, () => {
  it("holds a process that runs already, until it is detached", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const hold = await attach(pid);

    expect(hold).toMatchObject({ pid, holderPid: holderOf(pid) });
    await until(() => isParked(hold.holderPid), "it is held");
    await hold.detach();
    expect(isAlive(hold.holderPid)).toBe(false);
    expect(isAlive(pid)).toBe(true);
    await hold.detach(); // again: nothing to do
  });

  it("leaves nothing behind when the process ends as it likes", async () => {
    const child = await startReady(hog(64 * MiB, "exit"));
    const { holderPid: holder } = await attach(child.pid);

    child.stdin?.end();
    expect(await ending(child)).toBe(7);
    await until(() => !isAlive(holder), "the holder is gone");
  });

  // What each costs unprotected, it costs in the same test: at least five times as much.
  it.each([
    ["by SIGKILL", { words: hog(bytes, "stay") }],
    ["by SIGTERM", { words: hog(bytes, "stay"), end: (child) => child.kill("SIGTERM") }],
    ["by a crash", { words: hog(bytes, "segv"), end: (child) => child.stdin?.end() }],
    ["by the end of a thread", { words: hog(bytes, "thread"), end: (child) => child.stdin?.end() }],
    ["of 200 threads", { words: [program("odd-hog"), String(bytes), "threads"] }],
    ["of 60,000 mappings", { words: [program("odd-hog"), "0", "mappings"] }],
    ["under a strict seccomp filter", { words: [program("odd-hog"), String(bytes), "strict"] }],
    ["that is stopped", { words: hog(bytes, "stay"), targets: stopped }],
    [
      "that is the init of a PID namespace",
      {
        words: ["unshare", "--pid", "--fork", "--mount-proc", ...hog(bytes, "exit")],
        targets: ({ pid }) => [childOf(pid)],
        end: (child) => child.stdin?.end(),
      },
    ],
    [
      "in other user, mount and network namespaces",
      { words: ["unshare", "--user", "--map-root-user", "--mount", "--net", ...hog(bytes, "stay")] },
    ],
    [
      "whose whole process group is killed",
      { words: inSession, end: ({ pid }) => process.kill(-pid, "SIGKILL") },
    ],
    ["whose whole session is killed", { words: inSession, end: killSession }],
  ] satisfies [string, Ending][])(
    "lets the parent of a process %s hear before the memory is back",
    async (_, command) => endWhileHeld(command),
  );
});

describe("attach refuses, with the reason and what to do,", () => {
  const refusal = async (pid: number, options = {}) => codeOf(attach(pid, options));

  it("what is no process", async () => {
    expect(await refusal(4_194_304)).toBe("ERR_NO_PROCESS: process 4194304 does not exist");
  });

  it("what has ended, but nobody has waited for", async () => {
    const parent = await startReady(["sh", "-c", "sleep 0.2 & echo $!; exec sleep 1000"]);
    const zombie = childOf(parent.pid);

    await until(() => !isAlive(zombie), "the child has ended");
    expect(await refusal(zombie)).toMatch(/^ERR_NO_PROCESS: .* has ended, and waits for its parent$/);
  });

  it("a thread, and names its process", async () => {
    const { pid } = await startReady(hog(0, "thread"));
    const [thread = 0] = readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .filter((each) => each !== pid);

    expect(await refusal(thread)).toBe(`ERR_NO_PROCESS: process ${thread} is a thread of process ${pid}`);
  });

  it("a process whose main thread has ended", async () => {
    const { pid } = await startReady(hog(0, "main-ends"));

    await until(() => !isAlive(pid), "the main thread has ended");
    expect(await refusal(pid)).toMatch(/^ERR_NOT_HOLDABLE: .* main thread has ended/);
  });

  it("the init of the PID namespace", async () => {
    expect(await refusal(1)).toMatch(/^ERR_NOT_HOLDABLE: process 1 is the init/);
  });

  it.skipIf(!existsSync("/proc/2/stat") || !/kthreadd/.test(readFileSync("/proc/2/stat", "utf8")))(
    "a kernel thread",
    async () => {
      expect(await refusal(2)).toBe(
        "ERR_NOT_HOLDABLE: process 2 is a kernel thread (kthreadd), and has no address space",
      );
    },
  );

  it.skipIf(noHolder)("what is held already, and says by whom", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const { holderPid: holder } = await attach(pid);

    expect(await refusal(pid)).toBe(
      `ERR_ALREADY_PROTECTED: process ${pid} is protected already, by holder ${holder}`,
    );
    expect(holdersOf(pid)).toEqual([holder]);
  });

  it("what has a helper, and says which", async () => {
    const { pid } = await startReady(protect(hog(0, "stay")));

    expect(await refusal(pid)).toBe(
      `ERR_ALREADY_PROTECTED: process ${pid} is protected already, by helper ${helperOf(pid)}`,
    );
    expect(await codeOf(detach(pid))).toMatch(/^ERR_NOT_ATTACHED: .* was started with a helper/);
  });

  it.skipIf(noHolder)("all but one of those that come at the same time", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const ends = await Promise.all(Array.from({ length: 15 }, () => codeOf(attach(pid))));

    expect(ends.filter((end) => end === "no error")).toHaveLength(1);
    expect(ends.filter((end) => end.startsWith("ERR_ALREADY_PROTECTED"))).toHaveLength(14);
    expect(holdersOf(pid)).toHaveLength(1);
  });

  it.skipIf(noHolder)("a helper or a holder, and names its target; so do detach and wait", async () => {
    const [one, two] = [await startReady(protect(hog(0, "stay"))), await startReady(hog(0, "stay"))];
    const { holderPid: holder } = await attach(two.pid);
    const helper = helperOf(one.pid);

    for (const act of [attach, detach, wait]) {
      expect(await codeOf(act(helper))).toBe(
        `ERR_PROTECTOR: process ${helper} is the helper of process ${one.pid}`,
      );
      expect(await codeOf(act(holder))).toBe(
        `ERR_PROTECTOR: process ${holder} is a holder of process ${two.pid}`,
      );
    }
  });

  it.skipIf(noHolder)("but is not fooled by a name", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const impostor = start(["bash", "-c", `printf cleanup/${pid} > /proc/$$/comm; read -r`]);

    await until(() => helpersOf(pid).includes(impostor.pid), "it has the name");
    expect((await attach(pid)).holderPid).toBe(holderOf(pid));
  });
});

describe.skipIf(noHolder)("attach, where /proc is another PID namespace's", () => {
  it("refuses, rather than take one process for another", async () => {
    const { exitCode, stderr } = await runToEnd(["unshare", "--pid", "--fork", asyncTeardown, "attach", "2"]);

    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/\/proc is not mounted, or is another PID namespace's; mount the one/);
  });
});

describe("detach", () => {
  it.skipIf(noHolder)("ends no process that has a holder's PID of before", async () => {
    const [target, other] = [await startReady(hog(0, "stay")), await startReady(hog(0, "stay"))];
    const holder = {
      pid: other.pid,
      target: target.pid,
      mechanism: "holder",
      isTargetGone: false,
      isReleasing: false,
      isTargetElsewhere: false,
      user: "0",
      started: 0,
    } as const;

    await detachFrom({ protectors: [holder], hidden: [] }, target.pid);
    expect(isAlive(other.pid)).toBe(true);
  });

  it("says what there is nothing to detach from", async () => {
    const { pid } = await startReady(hog(0, "stay"));

    expect(await codeOf(detach(pid))).toBe(`ERR_NOT_ATTACHED: process ${pid} is not attached`);
    expect(await codeOf(detach(4_194_304))).toBe("ERR_NO_PROCESS: process 4194304 does not exist");
  });
});
