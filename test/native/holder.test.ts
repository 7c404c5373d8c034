/** The rules are those of native/holder/README.md. */
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { AsyncTeardownError } from "../../src/errors.js";
import { withProcess } from "../../src/linux/living-target.js";
import type { Findings } from "../../src/linux/protectors.js";
import { sharedObjectsOf } from "../../src/linux/shared-memory.js";
import { attach, attachUnlessIn } from "../../src/protect/attach.js";
import { endWhileStopped, noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import {
  helpersByTarget,
  holderOf,
  holdersOf,
  isAlive,
  isParked,
  link,
  sessionOf,
  settled,
  status,
  until,
} from "../support/proc.js";
import { ending, hog, runToEnd, type Started, start, startReady } from "../support/start.js";

/** So that nobody is looked for first. */
const nothingFound: Findings = { protectors: [], hidden: [] };

const EPERM = 1;

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const isLocked = async (file: string) =>
  (await runToEnd(["flock", "--nonblock", file, "true"])).exitCode !== 0;

const read = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");

/** All that a process could notice, and some of what only others see. */
function portrait(pid: number): Record<string, unknown> {
  return {
    // Signals, context switches, sizes, threads, who traces it. SigQ counts those of all the user's processes.
    status: read(pid, "status").replace(/^SigQ:.*\n/m, ""),
    maps: read(pid, "maps"),
    descriptors: readdirSync(`/proc/${pid}/fd`).map((fd) => link(pid, `fd/${fd}`)),
    wchan: read(pid, "wchan"),
    cgroup: read(pid, "cgroup"),
    children: read(pid, `task/${pid}/children`),
  };
}

/** Ticks of CPU that a process and all of its threads have used. */
function ticks(pid: number): number {
  const fields = read(pid, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function contextSwitches(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map(
    (thread) => /^voluntary.*\n.*/m.exec(read(pid, `task/${thread}/status`))?.[0] ?? "",
  );
}

/** Attaches by the command, under a seccomp filter that answers an errno to some calls. */
async function attachWithout(denied: string, pid: number): Promise<number> {
  const { exitCode, stderr } = await runToEnd([
    program("deny"),
    denied,
    asyncTeardown,
    "attach",
    String(pid),
  ]);

  expect([exitCode, stderr]).toEqual([0, ""]);
  return holderOf(pid);
}

describe.skipIf(noHolder)(`a holder (${noHolder ?? "as root"})`, () => {
  it("leaves the target as it is: not a signal, mapping, descriptor or context switch more", async () => {
    const { pid } = await startReady(hog(MiB, "stay"));
    const before = await settled(() => portrait(pid));
    const hold = await attach(pid);

    expect(portrait(pid)).toEqual(before);
    await hold.detach();
    expect(portrait(pid)).toEqual(before);
  });

  // Rule 10.
  it("has shut the door: session, directory, environment, descriptors, capabilities, calls, signals", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const { holderPid: holder } = await attach(pid);
    const { CapInh, CapEff, CapAmb, Seccomp, NoNewPrivs, SigBlk, Name } = status(holder);

    expect(Name).toBe(`cleanup/${pid}`);
    expect(sessionOf(holder)).toBe(holder);
    expect([link(holder, "cwd"), read(holder, "environ")]).toEqual(["/", ""]);
    for (const thread of readdirSync(`/proc/${holder}/task`)) {
      const { CapEff, Seccomp } = status(Number(thread));
      expect([Number(`0x${CapEff}`), Seccomp]).toEqual([0, "2"]);
    }
    expect([CapInh, CapEff, CapAmb].map((set) => Number(`0x${set}`))).toEqual([0, 0, 0]);
    expect([Seccomp, NoNewPrivs]).toEqual(["2", "1"]);
    // All but SIGKILL (9) and SIGSTOP (19), which cannot be blocked.
    expect(BigInt(`0x${SigBlk}`)).toBe(~((1n << 8n) | (1n << 18n)) & ((1n << 64n) - 1n));
    expect(read(holder, "limits")).toMatch(/^Max core file size +1 /m);

    const descriptors = readdirSync(`/proc/${holder}/fd`).map((fd) => link(holder, `fd/${fd}`));
    expect(descriptors.sort()).toEqual([
      `/proc/${pid}/cmdline`,
      `/proc/${pid}/pagemap`,
      `/proc/${pid}/status`,
      "anon_inode:[perf_event]",
      "anon_inode:[pidfd]",
      "anon_inode:[userfaultfd]",
    ]);
  });

  it("does not run while it waits, and has at most 256 KiB of its own", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const { holderPid: holder } = await attach(pid);

    const before = await settled(() => contextSwitches(holder));
    expect(before).toHaveLength(3);
    await sleep(3000);
    expect(contextSwitches(holder)).toEqual(before);

    const kernelStack = 16; // KiB a thread, on both architectures; VmPTE are the page tables
    const { VmRSS, VmPTE } = status(holder);
    expect(
      Number.parseInt(VmRSS ?? "", 10) + Number.parseInt(VmPTE ?? "", 10) + 3 * kernelStack,
    ).toBeLessThan(256);
  });

  it("records what the target held, for those who look at its command line", async () => {
    const bytes = affordable(256 * MiB);
    const child = await startReady(hog(bytes, "stay"));
    const { holderPid: holder } = await attach(child.pid, { priority: "idle" });
    const words = () => read(holder, "cmdline").split("\0")[4]?.trim() ?? "";

    expect(words()).toBe("holding");
    child.kill("SIGKILL");
    await until(() => words() !== "holding", "it says that it is releasing");
    const [, seenBytes, seen, died] = /^releasing bytes=(\d+) seen=(\d+) died=(\d+)$/.exec(words()) ?? [];
    expect(Number(seenBytes) / bytes).toBeCloseTo(1, 1);
    expect(Number(died)).toBeGreaterThanOrEqual(Number(seen));
    await until(() => !isAlive(holder), "the holder is gone");
  });

  it("records it for an image that came by exec, too", async () => {
    const bytes = affordable(256 * MiB);
    const child = await startReady(hog(0, "exec", ...hog(bytes, "stay")));
    const { holderPid: holder } = await attach(child.pid, { priority: "idle" });
    const ready = once(child.stdout as NonNullable<typeof child.stdout>, "data");
    const words = () => read(holder, "cmdline").split("\0")[4] ?? "";

    child.stdin?.end();
    await ready;
    await sleep(5000); // it looks after one second and after three
    child.kill("SIGKILL");
    await until(() => words().startsWith("releasing"), "it says that it is releasing");
    expect(Number(/bytes=(\d+)/.exec(words())?.[1]) / bytes).toBeCloseTo(1, 1);
    await until(() => !isAlive(holder), "the holder is gone");
  });

  it.each([
    ["normal", "3", "0"], // SCHED_BATCH
    ["low", "3", "19"],
    ["idle", "5", "0"], // SCHED_IDLE
  ] as const)("tears down at %s priority", async (priority, policy, nice) => {
    const { pid } = await startReady(hog(0, "stay"));
    const { holderPid: holder } = await attach(pid, { priority });

    for (const thread of readdirSync(`/proc/${holder}/task`)) {
      const fields = read(Number(thread), "stat").split(") ").at(-1)?.split(" ") ?? [];
      expect([fields[38], fields[16]]).toEqual([policy, nice]);
    }
  });

  describe.each([
    ["the kernel tells of an exec", "clone-vm:1"],
    ["it does not", `perf_event_open:${EPERM}`],
  ])("where %s", (_, denied) => {
    it.each(["exec", "thread-exec"])(
      "gives the old image's memory back soon after an %s, and holds the new one",
      async (way) => {
        const bytes = affordable(64 * MiB);
        const lock = join(folder, "lock");
        writeFileSync(lock, "x");
        const child = await startReady(["env", `HOG_LOCK=${lock}`, ...hog(0, way, ...hog(bytes, "stay"))]);
        const holder = await attachWithout(denied, child.pid);
        const ready = once(child.stdout as NonNullable<typeof child.stdout>, "data");

        expect(await isLocked(lock)).toBe(true);
        child.stdin?.end();
        await ready;
        for (const start = Date.now(); await isLocked(lock); )
          if (Date.now() - start > 30_000) throw new Error("the old image is still held");

        await until(() => isParked(holder), "the new image is held");
        await endWhileStopped(child, [holder]);
      },
    );
  });

  describe("that keeps shared memory", () => {
    const bytes = affordable(64 * MiB);

    /** What is in memory of the object behind a descriptor of this holder, where it is one that it keeps. */
    function keptBy(holder: number, fd: string): number[] {
      const path = `/proc/${holder}/fd/${fd}`;

      try {
        return readlinkSync(path) === "/dev/zero (deleted)" ? [statSync(path).blocks * 512] : [];
      } catch {
        return []; // it let go of it while we looked
      }
    }

    const kept = (holder: number) => readdirSync(`/proc/${holder}/fd`).flatMap((fd) => keptBy(holder, fd));

    async function attachKeeping(...command: string[]): Promise<{ child: Started; holder: number }> {
      const child = await startReady([program("sharer"), String(bytes), ...command]);
      const sharedObjects = withProcess(child.pid, sharedObjectsOf) ?? [];
      const { holderPid: holder } = await attachUnlessIn(nothingFound, child.pid, { sharedObjects });

      expect(sharedObjects.map((object) => object.bytes)).toEqual([bytes]);
      expect(kept(holder)).toEqual([bytes]);
      return { child, holder };
    }

    it("has it when the target has unmapped it and ended, and counts it", async () => {
      const { child, holder } = await attachKeeping();

      process.kill(holder, "SIGSTOP");
      child.kill("SIGTERM");
      expect(await ending(child)).toBe(0);
      expect(kept(holder)).toEqual([bytes]);
      process.kill(holder, "SIGCONT");
      await until(() => !isAlive(holder), "the holder is gone");
    });

    it("looks again what is mapped, and lets go of what is not", async () => {
      const { child, holder } = await attachKeeping();

      child.kill("SIGUSR1");
      await until(() => status(child.pid).Name === "renamed", "it has another name");
      await sleep(2000); // it looks a second later
      expect(kept(holder)).toEqual([bytes]);
      child.kill("SIGUSR2");
      await until(() => kept(holder).length === 0, "it has let go");
      await until(() => isParked(holder), "it still holds the target");
    });

    it("lets go of it where the target executes another program", async () => {
      const { child, holder } = await attachKeeping(...hog(0, "stay"));

      child.kill("SIGHUP");
      await until(() => kept(holder).length === 0, "it has let go");
      await until(() => isParked(holder), "the new image is held");
    });
  });

  it("holds a target on whose exec its permission ends", async () => {
    const child = await startReady(
      hog(0, "exec", "/usr/bin/setpriv", "--reuid", "61234", "--clear-groups", ...hog(64 * MiB, "stay")),
    );
    const { holderPid: holder } = await attach(child.pid);
    const ready = once(child.stdout as NonNullable<typeof child.stdout>, "data");

    child.stdin?.end();
    await ready;
    await until(() => isParked(holder), "the last image is held");
    expect(status(child.pid).Uid?.split("\t")[1]).toBe("61234");
    child.kill("SIGKILL");
    await until(() => !isAlive(holder), "the holder is gone");
  });

  // Rules 5 and 6.
  it("keeps what it holds when only the main thread ends, and lets go when the last does", async () => {
    const child = await startReady(hog(0, "late-main-ends"));
    const { holderPid: holder } = await attach(child.pid);

    child.stdin?.write("x");
    await until(() => !isAlive(child.pid), "the main thread has ended");
    await sleep(2500); // two steps
    await until(() => isParked(holder), "it is held");
    child.stdin?.end();
    expect(await ending(child)).toBe(9);
    await until(() => !isAlive(holder), "the holder is gone");
  });

  // Rule 8.
  it("sleeps again after a stop, without having been run ever since", async () => {
    const child = await startReady(hog(0, "stay"));
    const { holderPid: holder } = await attach(child.pid);

    process.kill(holder, "SIGSTOP");
    await sleep(50);
    process.kill(holder, "SIGCONT");
    await until(() => isParked(holder), "its other reader has taken over");
    const before = await settled(() => ticks(holder));
    await sleep(1000);
    expect(ticks(holder)).toBe(before);
    child.kill("SIGKILL");
    await until(() => !isAlive(holder), "the holder is gone");
  });

  // Rules 6 and 8.
  it("does not run without end where nobody can take over: the main thread has ended", async () => {
    const child = await startReady(hog(0, "late-main-ends"));
    const { holderPid: holder } = await attach(child.pid);

    child.stdin?.write("x");
    await until(() => !isAlive(child.pid), "the main thread has ended");
    process.kill(holder, "SIGSTOP");
    await sleep(50);
    process.kill(holder, "SIGCONT");
    const before = await settled(() => ticks(holder));
    await sleep(1000);
    expect(ticks(holder)).toBeLessThan(before + 50); // of 100: it does not spin
    child.stdin?.end();
    expect(await ending(child)).toBe(9);
    await until(() => !isAlive(holder), "the holder is gone");
  });

  // Rules 1 and 8.
  it("keeps hold over many stops, and nothing of an image before", async () => {
    const lock = join(folder, "lock-of-stuck");
    writeFileSync(lock, "x");
    const child = await startReady(["env", `HOG_LOCK=${lock}`, ...hog(0, "exec", ...hog(0, "stay"))]);
    const { holderPid: holder } = await attach(child.pid);
    const ready = once(child.stdout as NonNullable<typeof child.stdout>, "data");

    for (let stop = 0; stop < 20; stop++) {
      process.kill(holder, "SIGSTOP");
      process.kill(holder, "SIGCONT");
      await sleep(20);
    }
    expect(await isLocked(lock)).toBe(true);
    child.stdin?.end();
    await ready;
    for (const start = Date.now(); await isLocked(lock); )
      if (Date.now() - start > 30_000) throw new Error("the old image is still held");
    await until(() => isParked(holder), "the new image is held");
  });

  // Rule 12.
  it("never harms the target, whenever it is killed", { timeout: 60_000 }, async () => {
    const child = await startReady(hog(16 * MiB, "exit"));
    const before = await settled(() => portrait(child.pid));

    for (let run = 0; run < 100; run++) {
      const attached = attachUnlessIn(nothingFound, child.pid, {}).catch((error: unknown) => error);
      await sleep(Math.random() * 5);
      for (const holder of holdersOf(child.pid)) process.kill(holder, "SIGKILL");
      await attached;
      for (const holder of holdersOf(child.pid)) process.kill(holder, "SIGKILL");
    }
    await until(() => holdersOf(child.pid).length === 0, "the holders are gone");
    expect(portrait(child.pid)).toEqual(before);
    child.stdin?.end();
    expect(await ending(child)).toBe(7);
  });

  // Rules 5 and 9.
  it("says so when the target dies meanwhile, and leaves nothing behind", { timeout: 120_000 }, async () => {
    const outcomes = new Map<string, number>();

    for (let run = 0; run < 100; run++) {
      const child = start(["sleep", "1000"]);
      const attached = attachUnlessIn(nothingFound, child.pid, {}).then(
        () => "armed",
        (error: unknown) => (error instanceof AsyncTeardownError ? error.code : String(error)),
      );
      setTimeout(() => child.kill("SIGKILL"), Math.random() * 6);
      const outcome = await attached;

      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      await ending(child);
      await until(() => holdersOf(child.pid).length === 0, "the holder is gone");
    }
    expect([...outcomes.keys()].sort()).toEqual(["ERR_NO_PROCESS", "armed"]);
  });

  it("is one of 200 that all let go at once", { timeout: 120_000 }, async () => {
    const descriptors = readdirSync("/proc/self/fd").length;
    const children = await Promise.all(
      Array.from({ length: 200 }, () => startReady(hog(affordable(400 * MiB) / 200, "stay"))),
    );
    const { exitCode, stdout } = await runToEnd([
      asyncTeardown,
      "attach",
      ...children.map(({ pid }) => String(pid)),
    ]);
    const byTarget = helpersByTarget();
    const holders = children.flatMap(({ pid }) => byTarget.get(pid) ?? []);

    expect([exitCode, stdout.split("\n").length, holders.length]).toEqual([0, 200, 200]);
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(ending));
    await until(() => !holders.some(isAlive), "all holders are gone");
    await until(() => readdirSync("/proc/self/fd").length === descriptors, "no descriptor is left");
  });
});
