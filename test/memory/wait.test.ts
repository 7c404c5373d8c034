import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { waitForMemory } from "../../src/index.js";
import { limitMemory, makeCgroup, startIn, type TestCgroup } from "../support/cgroup.js";
import { noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { helperOf, isAlive, until } from "../support/proc.js";
import { ending, hog, protect, runToEnd, startReady } from "../support/start.js";

const made = noHolder ?? makeCgroup("memory");
const cgroup = made as TestCgroup;
const limit = affordable(256 * MiB);
const held = Math.floor(limit * 0.6);
const request = { bytes: held, cgroup: cgroup.path };

/** A dead target in the cgroup, whose helper is stopped: it holds more than half of the limit. */
async function startOrphan(): Promise<{ pid: number; helper: number }> {
  const child = await startReady(startIn(cgroup, protect(hog(held, "stay"))));
  const helper = helperOf(child.pid);

  process.kill(helper, "SIGSTOP");
  child.kill("SIGKILL");
  await ending(child);
  return { pid: child.pid, helper };
}

describe.skipIf(typeof made === "string")(
  `room for the next start (${typeof made === "string" ? made : "a cgroup"})`,
  () => {
    beforeAll(() => limitMemory(cgroup, limit));

    it("is waited for until a teardown has made it", async () => {
      const { helper } = await startOrphan();
      let isThere = false;
      const waiting = waitForMemory(request).then(() => {
        isThere = true;
      });

      await sleep(1000);
      expect(isThere).toBe(false);
      process.kill(helper, "SIGCONT");
      await waiting;
      await until(() => !isAlive(helper), "the helper is gone");
      await waitForMemory(request);
    });

    it("is not waited for where nobody is making it", async () => {
      const child = await startReady(startIn(cgroup, protect(hog(held, "stay"))));
      const start = performance.now();

      await expect(waitForMemory(request)).rejects.toMatchObject({
        code: "ERR_NO_ROOM",
        message: expect.stringMatching(
          /^cgroup .*: .* MiB wanted, .* MiB available: no teardown is under way that would give it back$/,
        ),
      });
      expect(performance.now() - start).toBeLessThan(30_000);
      child.kill("SIGKILL");
      await ending(child);
      await waitForMemory(request);
    });

    it("is no more waited for when the only teardown has ended, and it was not enough", async () => {
      const child = await startReady(startIn(cgroup, hog(Math.floor(limit * 0.5), "stay")));
      const elsewhere = await startReady(protect(hog(0, "stay")));
      const helper = helperOf(elsewhere.pid);

      process.kill(helper, "SIGSTOP");
      elsewhere.kill("SIGKILL");
      await ending(elsewhere);
      const waiting = waitForMemory({ bytes: held, cgroup: cgroup.path }).catch((error: unknown) => error);
      expect(await Promise.race([waiting, sleep(1000, "waits")])).toBe("waits");
      process.kill(helper, "SIGCONT");
      expect(await waiting).toMatchObject({ code: "ERR_NO_ROOM" });
      child.kill("SIGKILL");
      await ending(child);
    });

    it("can be given up, with the teardowns named that are not done", async () => {
      const { pid, helper } = await startOrphan();
      const words = ["wait", "--timeout", "500ms", "--memory", String(held), "--cgroup", cgroup.path];
      const { exitCode, stdout, stderr } = await runToEnd([asyncTeardown, ...words]);

      expect(exitCode).toBe(124);
      expect(stdout).toMatch(new RegExp(`^waiting for cgroup .*\\n  ${pid} hog: target gone, .* held$`, "m"));
      expect(stderr).toMatch(/^async-teardown: not after 0.5 s: cgroup .* wanted, .* available$/);
      const reason = new Error("enough");
      await expect(waitForMemory({ ...request, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      process.kill(helper, "SIGCONT");
      await until(() => !isAlive(helper), "the helper is gone");
    });
  },
);
