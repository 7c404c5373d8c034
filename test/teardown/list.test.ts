import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { attach, list } from "../../src/index.js";
import { findProtectors } from "../../src/linux/protectors.js";
import { noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, residentBytes, stop, until } from "../support/proc.js";
import { ending, hog, protect, type Started, startReady } from "../support/start.js";

const rowsOf = async ({ pid }: { pid: number }) =>
  (await list()).addressSpaces.filter(({ target }) => target === pid);

async function kill(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

const nothingFreed = { freedBytes: null, bytesPerSecond: null, elapsedSeconds: null, remainingSeconds: null };

describe("list", () => {
  it("has a row for a process with a helper", async () => {
    const bytes = affordable(64 * MiB);
    const child = await startReady(protect(hog(bytes, "stay")));
    const [row, ...others] = await rowsOf(child);

    expect(others).toEqual([]);
    expect(row).toMatchObject({
      target: child.pid,
      command: hog(bytes, "stay"),
      state: "protected",
      protectors: [{ pid: helperOf(child.pid), mechanism: "helper" }],
      initialBytes: null,
      ...nothingFreed,
    });
    expect(row?.heldBytes).toBeGreaterThanOrEqual(bytes);
    expect(row?.heldBytes).toBeLessThan(bytes + 16 * MiB);
  });

  it("has a row while the memory is not given back yet, and while it is", async () => {
    const bytes = affordable(64 * MiB);
    const child = await startReady(protect(hog(bytes, "stay"), `/rate:${16 * MiB}`));
    const helper = helperOf(child.pid);

    await stop(helper);
    await kill(child);
    expect(await rowsOf(child)).toMatchObject([
      {
        state: "target gone",
        heldBytes: residentBytes(helper),
        command: hog(bytes, "stay"),
        ...nothingFreed,
      },
    ]);

    // Stopped again in the middle, which lasts some seconds at that rate.
    process.kill(helper, "SIGCONT");
    await until(() => residentBytes(helper) < bytes, "the release has begun");
    await stop(helper);
    await sleep(50); // the clock that it goes by has steps of ten milliseconds
    const [row] = await rowsOf(child);
    expect(row?.state).toBe("releasing");
    expect(row?.initialBytes).toBeGreaterThanOrEqual(bytes);
    expect(row?.freedBytes).toBe((row?.initialBytes ?? 0) - residentBytes(helper));
    expect(row?.elapsedSeconds).toBeGreaterThan(0);
    expect(row?.elapsedSeconds).toBeLessThan(60);
    expect(row?.remainingSeconds).toBeCloseTo((row?.heldBytes ?? 0) / (row?.bytesPerSecond ?? 0));

    process.kill(helper, "SIGCONT");
    // Its main thread may have ended before its workers have.
    await expect.poll(() => rowsOf(child), { timeout: 30_000 }).toEqual([]);
  });

  it.skipIf(noHolder)("has one row for a process with helper and holder", async () => {
    const child = await startReady([asyncTeardown, "run", "--mechanism", "both", "--", ...hog(0, "stay")]);
    const rows = await rowsOf(child);

    expect(rows).toHaveLength(1);
    expect(rows[0]?.protectors.map(({ mechanism }) => mechanism).sort()).toEqual(["helper", "holder"]);
  });

  it.skipIf(noHolder)("knows of a holder's teardown the size at the death, and no more", async () => {
    const bytes = affordable(1024 * MiB);
    const child = await startReady(hog(bytes, "stay"));
    const { holderPid: holder } = await attach(child.pid, { priority: "low" });
    const known = { protectors: [{ pid: holder, mechanism: "holder" }], priority: "low" };

    expect(await rowsOf(child)).toMatchObject([
      { ...known, state: "protected", command: hog(bytes, "stay") },
    ]);
    process.kill(holder, "SIGSTOP");
    await kill(child);
    expect(await rowsOf(child)).toMatchObject([
      { ...known, state: "target gone", heldBytes: null, ...nothingFreed },
    ]);
    process.kill(holder, "SIGCONT");
    await until(() => !isAlive(holder), "the holder is gone");
  });

  it("sees a helper whose target's main thread has ended before the others", async () => {
    const child = await startReady(protect(hog(0, "late-main-ends")));

    child.stdin?.end();
    await until(() => !isAlive(child.pid) || (child.exitCode ?? child.signalCode) !== null, "main has ended");
    const [row] = await rowsOf(child);
    if (child.exitCode === null && child.signalCode === null) expect(row?.state).toBe("protected");
  });

  it.each([
    ["of a living process", () => process.pid, []],
    ["of the first process", () => 1, []],
    ["of a living process, and blocks every signal", () => process.pid, ["block"]],
  ])("is not fooled by a process that bears the name %s", async (_, pid, words) => {
    const child = await startReady([program("pretender"), `cleanup/${pid()}`, ...words]);

    expect(helpersOf(pid()).length).toBeGreaterThan(0);
    expect(await rowsOf({ pid: pid() })).toEqual([]);
    await kill(child);
  });

  it("is not fooled by a process that bears the name of one that is gone", async () => {
    const gone = await startReady(hog(0, "stay"));
    await kill(gone);
    await startReady([program("pretender"), `cleanup/${gone.pid}`]);

    expect(await rowsOf(gone)).toEqual([]);
  });

  it.skipIf(noHolder).each([[1_000_000], [-10]])(
    "tells the time since a death in a time namespace that is %d seconds ahead",
    async (offset) => {
      const run = [asyncTeardown, "run", "--mechanism", "helper", "--rate", "8M", "--"]; // so that there is time
      const inside = ["unshare", "--time", "--boottime", String(offset), "--monotonic", String(offset)];
      const child = await startReady([...run, ...inside, ...hog(affordable(128 * MiB), "stay")]);

      await kill(child);
      await expect
        .poll(async () => (await rowsOf(child))[0]?.elapsedSeconds, { timeout: 10_000 })
        .toBeGreaterThan(0);
      const [row] = await rowsOf(child);
      expect(row?.state).toBe("releasing");
      expect(row?.elapsedSeconds).toBeLessThan(60);
    },
  );

  it("looks through /proc once for all that ask at the same time, and anew for who asks later", async () => {
    const [one, two, three] = await Promise.all([findProtectors(), findProtectors(), findProtectors()]);

    expect([two, three].every((each) => each === one)).toBe(true);
    expect(await findProtectors()).not.toBe(one);
  });

  it("can be given up", async () => {
    await expect(list({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
