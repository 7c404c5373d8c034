import { describe, expect, it } from "vitest";
import { list, watch } from "../../src/index.js";
import { missing } from "../support/component.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, residentBytes, until } from "../support/proc.js";
import { ending, runToEnd, type Started, start } from "../support/start.js";

const noQemu = await missing("qemu-system-x86_64", "qemu-system-x86");
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

    setTimeout(() => child.kill("SIGKILL"), 100);
    for await (const { state, initialBytes } of watch(child.pid, { interval: 10 })) {
      states.add(state);
      last = initialBytes;
    }
    expect([...states].at(0)).toBe("protected");
    expect([...states].at(-1)).toBe("ended");
    if (states.has("target gone")) expect(last).toBeGreaterThan(guest);
  });
});
