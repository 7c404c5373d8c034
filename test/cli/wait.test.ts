import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { helperOf, isAlive, settled, stop, until, waitsForProcess } from "../support/proc.js";
import { ending, hog, protect, runToEnd, type Started, start, startReady } from "../support/start.js";

const wait = (...words: (string | number)[]) => runToEnd([asyncTeardown, "wait", ...words.map(String)]);

async function kill(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

/** A dead target, whose helper is stopped. */
async function startOrphan(bytes: number): Promise<{ pid: number; helper: number }> {
  const child = await startReady(protect(hog(bytes, "stay")));
  const helper = helperOf(child.pid);

  await stop(helper);
  await kill(child);
  return { pid: child.pid, helper };
}

async function goOn(helper: number): Promise<void> {
  process.kill(helper, "SIGCONT");
  await until(() => !isAlive(helper), "the helper is gone");
}

/** The command, and all that it will have written. */
function startWaiting(...words: (string | number)[]) {
  const waiting = start([asyncTeardown, "wait", ...words.map(String)]);
  return { waiting, output: text(waiting.stdout as NonNullable<typeof waiting.stdout>) };
}

/** Clock ticks of CPU time that a process has had. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

describe("wait PID", () => {
  it("ends with the memory's being back, and says how much and when", async () => {
    const bytes = affordable(64 * MiB);
    // Two seconds of it, at least: how much there was is known by looking.
    const child = await startReady(protect(hog(bytes, "stay"), `/rate:${32 * MiB}`));
    const helper = helperOf(child.pid);
    const { waiting, output } = startWaiting(child.pid);

    await until(() => waitsForProcess(waiting.pid), "it waits");
    await kill(child);
    expect(await ending(waiting)).toBe(0);
    expect(await output).toMatch(
      new RegExp(`^${child.pid}: all \\d.* MiB are back, \\d+\\.\\d s after its end\n$`),
    );
    expect(isAlive(helper)).toBe(false);
  });

  it("has nothing to wait for where there is nothing", async () => {
    expect(await wait(4_194_303)).toMatchObject({
      exitCode: 0,
      stdout: "4194303: nothing to wait for: there is no such process, and nobody keeps its memory",
      stderr: "",
    });
  });

  it("gives up after --timeout (124), and says how things stand", async () => {
    const { pid, helper } = await startOrphan(affordable(16 * MiB));
    const { exitCode, stdout, stderr } = await wait("--timeout", "300ms", pid, 4_194_303);

    expect([exitCode, stdout.split("\n").length]).toEqual([124, 1]);
    expect(stderr).toMatch(
      new RegExp(`^async-teardown: not after 0.3 s: ${pid} hog: target gone, .* MiB held`),
    );
    const { processes } = JSON.parse((await wait("--json", "--timeout", "300ms", pid)).stdout);
    expect(processes).toMatchObject([{ target: pid, state: "target gone", error: { code: "ERR_TIMEOUT" } }]);
    await goOn(helper);
  });

  it("tells machines", async () => {
    const { pid, helper } = await startOrphan(0);
    const { waiting, output } = startWaiting("--json", pid);

    await until(() => waitsForProcess(waiting.pid), "it waits");
    await goOn(helper);
    expect(await ending(waiting)).toBe(0);
    const stdout = await output;
    expect(JSON.parse(stdout)).toMatchObject({
      processes: [{ target: pid, state: "ended", heldBytes: 0 }],
      memory: null,
    });
  });

  it("tells of a PID that cannot be waited for, and waits for the others", async () => {
    const child = await startReady(hog(0, "thread"));
    const { readdirSync } = await import("node:fs");
    const thread = readdirSync(`/proc/${child.pid}/task`).find((each) => each !== String(child.pid)) ?? "";
    const { exitCode, stdout, stderr } = await wait(thread, 4_194_303);

    expect([exitCode, stdout.split("\n").length]).toEqual([125, 1]);
    expect(stderr).toBe(
      `async-teardown: process ${thread} is a thread of process ${child.pid}; give ${child.pid} instead`,
    );
  });

  it("sleeps while it waits", { timeout: 30_000 }, async () => {
    const child = await startReady(protect(hog(0, "stay")));
    const waiting = start([asyncTeardown, "wait", String(child.pid)]);

    const before = await settled(() => cpuTicks(waiting.pid));
    await sleep(3000);
    expect(cpuTicks(waiting.pid) - before).toBeLessThanOrEqual(30); // of 300: it does not ask all the time
    await kill(child);
    expect(await ending(waiting)).toBe(0);
  });

  it.each([
    [[]],
    [["x"]],
    [["0"]],
    [["--timeout", "1d", "1"]],
    [["--memory", "much"]],
    [["--hugepages", "2M", "1"]],
  ])("is not to be called with %j (125)", async (words) => {
    const { exitCode, stderr } = await wait(...words);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(
      /^async-teardown: ('wait' has nothing to wait for; give a PID|error: .*; see --help$)/,
    );
  });
});

describe("wait --memory", () => {
  it("ends at once where there is enough", async () => {
    expect(await wait("--memory", "16M")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^16 MiB can be had, after \d+\.\d s$/),
      stderr: "",
    });
  });

  it("says at once what can never be had (1)", async () => {
    const { exitCode, stdout, stderr } = await wait("--memory", "4095T");

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^async-teardown: host memory: 3.9 PiB wanted, there are only .*iB: that can never be had; ask for less/,
    );
  });

  it("tells machines what is lacking", async () => {
    const { exitCode, stdout, stderr } = await wait("--json", "--memory", "4095T");

    expect([exitCode, stderr]).toEqual([1, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      processes: [],
      memory: { available: false, error: { code: "ERR_NO_ROOM" } },
    });
  });

  it("refuses what makes no sense, with what there is", async () => {
    expect((await wait("--hugepages", "3M:1")).stderr).toMatch(
      /^async-teardown: this machine has no huge pages of 3 MiB; it has/,
    );
    const { exitCode, stderr } = await wait("--memory", "1M", "--cgroup", "/no/such");
    expect([exitCode, stderr.slice(0, 61)]).toEqual([
      125,
      "async-teardown: the memory of the cgroup '/no/such' cannot be",
    ]);
  });
});
