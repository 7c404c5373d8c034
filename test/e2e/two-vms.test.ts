import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { findShortages } from "../../src/memory/shortages.js";
import { attach } from "../../src/protect/attach.js";
import { limitMemory, makeCgroup, startIn, type TestCgroup } from "../support/cgroup.js";
import { missing } from "../support/component.js";
import { noHolder } from "../support/holder.js";
import { affordable, GiB, MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import { residentBytes, until } from "../support/proc.js";
import { ending, type Started, start } from "../support/start.js";

const noQemu = noHolder ?? missing("qemu-system-x86_64", "qemu-system-x86");
const memory = noQemu ?? makeCgroup("memory");
const reason = typeof memory === "string" ? memory : undefined;
const cgroup = memory as TestCgroup;

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

/** Ends a guest. Its parent hears of it at once; the memory is still there until the holder is let go on. */
async function destroy(child: Started): Promise<{ giveBack(): void }> {
  const { holderPid: holder } = await attach(child.pid);

  process.kill(holder, "SIGSTOP");
  child.kill("SIGKILL");
  await ending(child);
  return { giveBack: () => process.kill(holder, "SIGCONT") };
}

const shortages = () => findShortages({ bytes: guest + besides, cgroup: cgroup.path });

/** The command that waits for room, when it has said what it waits for. */
async function startWaiting(): Promise<{ waiting: Started; said: string }> {
  const words = ["wait", "--memory", String(guest + besides), "--cgroup", cgroup.path];
  const waiting = start([asyncTeardown, ...words]);
  const output = waiting.stdout as NonNullable<typeof waiting.stdout>;
  let said = "";

  output.on("data", (text) => {
    said += text;
  });
  await until(() => said.includes("\n  ") || hasEnded(waiting), "it says what it waits for");
  return { waiting, said };
}

/** How many processes the kernel has killed here for want of memory. */
function killed(): number {
  const file = cgroup.version === 1 ? "memory.oom_control" : "memory.events";
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync(`${cgroup.directory}/${file}`, "utf8"))?.[1]);
}

describe.skipIf(reason)(`two guests that each take 60 % of the memory (${reason ?? "QEMU"})`, () => {
  beforeAll(() => limitMemory(cgroup, machine));

  it("come after each other, where each start waits for the memory of the last one", async () => {
    const before = killed();
    let last = await startGuest();

    for (let round = 0; round < 3; round++) {
      const { giveBack } = await destroy(last);
      expect(shortages()).toMatchObject([{ pool: { kind: "cgroup", path: cgroup.path }, possible: true }]);
      const { waiting, said } = await startWaiting();
      expect(said).toMatch(
        new RegExp(
          `^waiting for cgroup ${cgroup.path}: .* wanted, [^]*\\n  ${last.pid}: (releasing, ≤ .*iB held|target gone)`,
        ),
      );
      expect(hasEnded(waiting)).toBe(false);
      giveBack();
      expect(await ending(waiting)).toBe(0);
      last = await startGuest();
      expect(hasEnded(last)).toBe(false);
    }
    expect(killed()).toBe(before);
  });

  it("are one too many where the start does not wait", async () => {
    const before = killed();
    const { giveBack } = await destroy(await startGuest());
    const next = await startGuest();

    giveBack();
    expect(hasEnded(next)).toBe(true);
    expect(killed()).toBeGreaterThan(before);
  });
});
