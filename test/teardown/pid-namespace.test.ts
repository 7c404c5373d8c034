import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { list, wait } from "../../src/index.js";
import { affordable, MiB } from "../support/memory.js";
import { childrenOf, isAlive, stop, until } from "../support/proc.js";
import { hog, protect, startReady } from "../support/start.js";

const noNamespace = process.getuid?.() === 0 ? undefined : "PID namespaces are for root: not tested";

const nameOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

/** A protected process in a PID namespace of its own, behind an init that reaps; seen from outside. */
async function startInside(bytes: number): Promise<{ target: number; helper: number }> {
  const words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const init = ["sh", "-c", '"$@" & while :; do wait; sleep 0.05; done', "-"];
  const outer = await startReady([...words, ...init, ...protect(hog(bytes, "stay"))]);
  const [inside = 0] = childrenOf(outer.pid);
  const all = childrenOf(inside);
  const target = all.find((pid) => nameOf(pid) === "hog") ?? 0;
  const helper = all.find((pid) => nameOf(pid).startsWith("cleanup/")) ?? 0;

  expect([target, helper]).not.toContain(0);
  return { target, helper };
}

describe.skipIf(noNamespace)(`a container's processes (${noNamespace ?? "a PID namespace"})`, () => {
  it("are listed by the PIDs that they have here", async () => {
    const { target, helper } = await startInside(0);
    const { addressSpaces } = await list();

    expect(nameOf(helper)).not.toBe(`cleanup/${target}`);
    expect(
      addressSpaces.filter(({ protectors }) => protectors.some(({ pid }) => pid === helper)),
    ).toMatchObject([{ target, state: "protected", protectors: [{ pid: helper, mechanism: "helper" }] }]);
  });

  it("are waited for until their memory is back", async () => {
    const { target, helper } = await startInside(affordable(64 * MiB));
    let isOver = false;
    const waiting = wait(target).then(() => {
      isOver = true;
    });

    await sleep(300);
    await stop(helper);
    process.kill(target, "SIGKILL");
    await sleep(500);
    expect(isOver).toBe(false);
    const { addressSpaces } = await list();
    expect(addressSpaces.find(({ protectors }) => protectors[0]?.pid === helper)?.state).toBe("target gone");
    process.kill(helper, "SIGCONT");
    await waiting;
    await until(() => !isAlive(helper), "the helper is gone");
  });
});
