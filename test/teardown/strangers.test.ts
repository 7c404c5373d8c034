import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { list, waitForMemory } from "../../src/index.js";
import { hostMemory } from "../../src/linux/host-memory.js";
import { noHolder } from "../support/holder.js";
import { asyncTeardown, program } from "../support/paths.js";
import { helpersOf, isAlive, until } from "../support/proc.js";
import { ending, hog, runToEnd, type Started, start, startReady } from "../support/start.js";

const asStranger = ["setpriv", "--reuid", "61234", "--regid", "61234", "--clear-groups"];

/** A process of another user that says it is the helper of this one. */
async function startImpostor(pid: number, ...what: string[]): Promise<void> {
  await startReady([...asStranger, program("impostor"), String(pid), ...what]);
  await until(() => helpersOf(pid).length > 0, "it has the name");
}

async function startDead(): Promise<number> {
  const child = await startReady(hog(0, "stay"));

  child.kill("SIGKILL");
  await ending(child);
  return child.pid;
}

const rowsOf = async (pid: number) => (await list()).addressSpaces.filter(({ target }) => target === pid);

const ends = { exitCode: 0, signal: undefined };

describe.skipIf(noHolder)(`what a stranger's process shows (${noHolder ?? "as root"})`, () => {
  it.each([["fifo"], ["/dev/zero"], ["memfd", "512"]])(
    "is not opened where it is %s: root's commands end",
    async (...what) => {
      const dead = await startDead();
      const { pid } = await startReady(hog(0, "stay"));

      await startImpostor(dead, ...what);
      for (const words of [["ps"], ["attach", pid], ["detach", pid], ["wait", "--memory", "1M"]])
        expect(await runToEnd([asyncTeardown, ...words.map(String)])).toMatchObject(ends);
      expect(await runToEnd([asyncTeardown, "run", "--mechanism", "holder", "true"])).toMatchObject(ends);
    },
  );

  it("is not believed: it is no helper of root's process, which ends with itself", async () => {
    const child = await startReady(hog(0, "stay"));

    await startImpostor(child.pid, "memfd", "0");
    const waiting: Started = start([asyncTeardown, "wait", String(child.pid)]);
    await sleep(500); // that it sees the target alive; if not, what follows is as true
    child.kill("SIGKILL");
    expect(await ending(waiting)).toBe(0);
    expect(await rowsOf(child.pid)).toEqual([]);
    expect((await list()).unconfirmed).toContainEqual(expect.objectContaining({ target: child.pid }));
  });

  it("is waited for only as long as memory really comes back", async () => {
    const dead = await startDead();

    await startImpostor(dead, "memfd", "0");
    const { exitCode, stdout } = await runToEnd([asyncTeardown, "wait", String(dead)]);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/nothing to wait for: process \d+, of another/),
    ]);
    const { available, total } = hostMemory();
    await expect(waitForMemory({ bytes: Math.floor((available + total) / 2) })).rejects.toMatchObject({
      code: "ERR_NO_ROOM",
    });
  });

  it("does not keep wait --memory, where its main thread has ended and others go on", async () => {
    const { pid } = await startReady(hog(0, "main-ends"));
    const { findExitingProcesses } = await import("../../src/linux/exiting-processes.js");

    await until(() => !isAlive(pid), "its main thread has ended");
    expect((await findExitingProcesses()).map((exit) => exit.pid)).not.toContain(pid);
  });
});
