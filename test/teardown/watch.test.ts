import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type AddressSpace, attach, wait, watch } from "../../src/index.js";
import { noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { helperOf, isAlive, stop } from "../support/proc.js";
import { ending, hog, protect, type Started, startReady } from "../support/start.js";

async function statesOf(pid: number): Promise<AddressSpace["state"][]> {
  const states: AddressSpace["state"][] = [];

  for await (const { state } of watch(pid, { interval: 50 })) states.push(state);
  return states;
}

async function kill(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

describe("watch", () => {
  it("tells of a slow teardown: all the bytes, one way, and the end", async () => {
    const rate = 32 * MiB;
    const bytes = affordable(64 * MiB); // two seconds of it, at least
    const child = await startReady(protect(hog(bytes, "stay"), `/rate:${rate}`));
    const seen: AddressSpace[] = [];

    for await (const step of watch(child.pid, { interval: 50 })) {
      if (seen.length === 0) await kill(child);
      seen.push(step);
    }
    const releasing = seen.filter(({ state }) => state === "releasing");
    const freed = releasing.map(({ freedBytes }) => freedBytes ?? -1);

    expect(seen[0]?.state).toBe("protected");
    expect(releasing.length).toBeGreaterThan(0);
    expect(releasing[0]).toMatchObject({ rateLimit: rate, priority: "normal" });
    expect(freed).toEqual([...freed].sort((a, b) => a - b));
    expect(freed[0]).toBeGreaterThanOrEqual(0);
    expect(seen.at(-1)).toMatchObject({ state: "ended", heldBytes: 0, remainingSeconds: 0 });
    expect(seen.at(-1)?.freedBytes).toBe(seen.at(-1)?.initialBytes);
  });

  it("tells of a process that is not protected", async () => {
    const child = await startReady(hog(0, "stay"));
    const states: string[] = [];

    for await (const { state } of watch(child.pid, { interval: 50 })) {
      if (states.length === 0) await kill(child);
      states.push(state);
    }
    expect(states).toEqual(["unprotected", "ended"]);
  });

  it("ends with the one step where there is nothing", async () => {
    expect(await statesOf(4_194_303)).toEqual(["ended"]);
  });

  it("can be left, and given up", async () => {
    const child = await startReady(protect(hog(0, "stay")));
    const reason = new Error("enough");

    for await (const step of watch(child.pid)) {
      expect(step.state).toBe("protected");
      break;
    }
    await expect(wait(child.pid, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const waiting = wait(child.pid, { signal: stop.signal });
    setTimeout(() => stop.abort(reason), 100);
    await expect(waiting).rejects.toBe(reason);
  });

  it("refuses a thread, and names its process", async () => {
    const { pid } = await startReady(hog(0, "thread"));
    const { readdirSync } = await import("node:fs");
    const thread =
      readdirSync(`/proc/${pid}/task`)
        .map(Number)
        .find((each) => each !== pid) ?? 0;

    await expect(wait(thread)).rejects.toMatchObject({
      code: "ERR_NO_PROCESS",
      message: `process ${thread} is a thread of process ${pid}`,
    });
  });
});

describe("wait", () => {
  it("lasts until the helper is gone, also where the target was dead before", async () => {
    const child = await startReady(protect(hog(affordable(64 * MiB), "stay")));
    const helper = helperOf(child.pid);
    let isOver = false;

    await stop(helper);
    await kill(child);
    const waiting = wait(child.pid).then((last) => {
      isOver = true;
      return last;
    });
    await sleep(300);
    expect(isOver).toBe(false);
    process.kill(helper, "SIGCONT");
    expect(await waiting).toMatchObject({ target: child.pid, state: "ended" });
    expect(isAlive(helper)).toBe(false);
  });

  it.skipIf(noHolder)("lasts until the holder is gone", async () => {
    const child = await startReady(hog(affordable(256 * MiB), "stay"));
    const { holderPid: holder } = await attach(child.pid);
    const waiting = wait(child.pid);

    await kill(child);
    await waiting;
    expect(isAlive(holder)).toBe(false);
  });

  it("does not take a process for another one that had its number", async () => {
    const child = await startReady(protect(hog(0, "stay")));
    await kill(child);
    expect(await wait(child.pid)).toMatchObject({ state: "ended" });
  });

  it("serves many at once", { timeout: 60_000 }, async () => {
    const children = await Promise.all(Array.from({ length: 30 }, () => startReady(protect(hog(0, "stay")))));
    const waiting = Promise.all(children.map(({ pid }) => wait(pid)));

    for (const child of children) child.kill("SIGKILL");
    expect((await waiting).map(({ state }) => state)).toEqual(children.map(() => "ended"));
  });
});
