import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { findLacks } from "../../src/memory/lacks.js";
import { attach } from "../../src/protect/attach.js";
import { limitMemory, makeCgroup, move, startIn, type TestCgroup } from "../support/cgroup.js";
import { missing } from "../support/component.js";
import { noHolder } from "../support/holder.js";
import { affordable, GiB, MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import { residentBytes, status, until } from "../support/proc.js";
import { ending, runToEnd, type Started, start } from "../support/start.js";

const noQemu = noHolder ?? (await missing("qemu-system-x86_64", "qemu-system-x86"));
const memory = noQemu ?? makeCgroup("memory");
const slow = noQemu ?? makeCgroup("cpu");
const reason = [memory, slow].find((each) => typeof each === "string");
const [cgroup, slowCgroup] = [memory, slow] as [TestCgroup, TestCgroup];

/** The machine, and a guest that takes 60 % of it. */
const machine = affordable(1.5 * GiB);
const guest = Math.floor((machine * 0.6) / MiB) * MiB;
/** What QEMU takes besides. */
const besides = 64 * MiB;

const qemu = [
  ...["qemu-system-x86_64", "-accel", "tcg", "-S", "-display", "none", "-nodefaults"],
  ...["-m", `${guest / MiB}M`, "-mem-prealloc"],
];

const hasEnded = ({ exitCode, signalCode }: Started) => exitCode !== null || signalCode !== null;

/** A guest that has all of its memory, or has failed to get it. */
async function startGuest(): Promise<Started> {
  const child = start(startIn(cgroup, [program("small-pages"), ...qemu]), { stdio: "ignore" });

  await until(() => hasEnded(child) || residentBytes(child.pid) > guest, "the guest has its memory");
  return child;
}

const cpu = String(Number.parseInt(status(process.pid).Cpus_allowed_list ?? "0", 10));

/**
 * Makes the teardown as slow as that of a big guest: the holder shares a CPU with what keeps it busy, and has
 * a twenty-fifth of it. (A quota would not do: newer kernels let a thread go on that is in the kernel.)
 */
async function attachSlowly({ pid }: Started): Promise<void> {
  const { holder } = await attach(pid);

  move(holder, slowCgroup);
  await runToEnd(["taskset", "--all-tasks", "--cpu-list", "--pid", cpu, String(holder)]);
}

function keepBusy(): void {
  start(["taskset", "--cpu-list", cpu, "sh", "-c", "while :; do :; done"], { stdio: "ignore" });
}

function slowDown({ directory, version }: TestCgroup): void {
  const [file, share] = version === 1 ? ["cpu.shares", "40"] : ["cpu.weight", "4"];
  writeFileSync(`${directory}/${file}`, share);
}

/** Ends a guest. Its parent hears of it at once; the memory is still there. */
async function destroy(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

const lacks = () => findLacks({ bytes: guest + besides, cgroup: cgroup.path });

/** What the command says, which waits for room. */
async function waitForRoom(): Promise<string> {
  const words = ["wait", "--memory", String(guest + besides), "--cgroup", cgroup.path];
  const { exitCode, stdout, stderr } = await runToEnd([asyncTeardown, ...words]);

  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout;
}

/** How many processes the kernel has killed here for want of memory. */
function killed(): number {
  const file = cgroup.version === 1 ? "memory.oom_control" : "memory.events";
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync(`${cgroup.directory}/${file}`, "utf8"))?.[1]);
}

describe.skipIf(reason)(`two guests that each take 60 % of the memory (${reason ?? "QEMU"})`, () => {
  beforeAll(() => {
    limitMemory(cgroup, machine);
    slowDown(slowCgroup);
  });

  it("come after each other ten times, where each start waits for the memory of the last one", {
    timeout: 120_000,
  }, async () => {
    const before = killed();
    let last = await startGuest();
    keepBusy();

    for (let round = 0; round < 10; round++) {
      await attachSlowly(last);
      await destroy(last);
      expect(lacks()).toMatchObject([{ room: { kind: "cgroup", path: cgroup.path }, possible: true }]);
      expect(await waitForRoom()).toMatch(
        new RegExp(
          `^waiting for cgroup ${cgroup.path}: .* wanted, [^]*\\n  ${last.pid}: (releasing, ≤ .*iB held|target gone)`,
        ),
      );
      last = await startGuest();
      expect(hasEnded(last)).toBe(false);
    }
    expect(killed()).toBe(before);
  });

  it("are one too many where the start does not wait", async () => {
    const before = killed();
    const last = await startGuest();
    const { holder } = await attach(last.pid);

    process.kill(holder, "SIGSTOP"); // however slowly the next one starts, the memory is not back by then
    await destroy(last);
    const next = await startGuest();
    process.kill(holder, "SIGCONT");
    expect(hasEnded(next)).toBe(true);
    expect(killed()).toBeGreaterThan(before);
    await waitForRoom();
  });
});
