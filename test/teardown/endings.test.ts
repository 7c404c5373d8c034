/** What ends while it is looked at: each look has something killed in its midst. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { list } from "../../src/index.js";
import { MiB } from "../support/memory.js";
import { helperOf, stop } from "../support/proc.js";
import { hog, protect, type Started, startReady } from "../support/start.js";

const midst = vi.hoisted(() => ({ beforeComparison() {}, beforeRecord() {} }));

vi.mock("../../src/linux/native.js", async (original) => {
  const native = await original<typeof import("../../src/linux/native.js")>();
  const compareAddressSpaces: typeof native.compareAddressSpaces = (...words) => {
    midst.beforeComparison();
    return native.compareAddressSpaces(...words);
  };
  return { ...native, compareAddressSpaces };
});

vi.mock("../../src/linux/recognise-helper.js", async (original) => {
  const helper = await original<typeof import("../../src/linux/recognise-helper.js")>();
  const releaseRecordOf: typeof helper.releaseRecordOf = (directory) => {
    midst.beforeRecord();
    return helper.releaseRecordOf(directory);
  };
  return { ...helper, releaseRecordOf };
});

afterEach(() => {
  midst.beforeComparison = () => {};
  midst.beforeRecord = () => {};
});

function isDead(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}

/** Returns when it is dead, without a turn of the event loop. */
function killAtOnce(pid: number): void {
  const end = performance.now() + 30_000;

  process.kill(pid, "SIGKILL");
  while (!isDead(pid)) if (performance.now() > end) throw new Error(`process ${pid} does not die`);
}

async function startStandingStill(): Promise<{ child: Started; helper: number }> {
  const child = await startReady(protect(hog(MiB, "stay")));
  const helper = helperOf(child.pid);

  await stop(helper); // so that a look after the death finds it as it is
  return { child, helper };
}

const rowsOf = async ({ pid }: Started) =>
  (await list()).addressSpaces.filter(({ target }) => target === pid);

describe("list", () => {
  it("has a row for a target that dies while it is looked at", async () => {
    const { child, helper } = await startStandingStill();

    midst.beforeComparison = () => {
      if (!isDead(child.pid)) killAtOnce(child.pid);
    };
    expect(await rowsOf(child)).toMatchObject([
      { state: "target gone", protectors: [{ pid: helper, mechanism: "helper" }] },
    ]);
  });

  it("has none for a helper that ends while it is looked at", async () => {
    const { child, helper } = await startStandingStill();

    killAtOnce(child.pid);
    midst.beforeRecord = () => {
      if (!isDead(helper)) killAtOnce(helper);
    };
    expect(await rowsOf(child)).toEqual([]);
  });
});
