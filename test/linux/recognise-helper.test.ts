import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { looksLikeProtector } from "../../src/linux/recognise-helper.js";
import { mostWorkers } from "../../src/protect/release-options.js";
import { root } from "../support/paths.js";

const blocksAll = "SigBlk:\tffffffffffffffff\n";
const stat = {
  name: "cleanup/1",
  state: "S",
  isKernelThread: false,
  isExiting: false,
  isForkWithoutExec: true,
  threads: 1,
  startTime: 1,
};

describe("looksLikeProtector", () => {
  it("knows a helper with as many threads as it can have: its workers, and the one for files", () => {
    const header = readFileSync(join(root, "native/helper/own.h"), "utf8");
    const [, more] = /^#define MOST_THREADS \(MOST_WORKERS \+ (\d+)\)$/m.exec(header) ?? [];
    const most = mostWorkers + Number(more);

    expect(looksLikeProtector({ ...stat, threads: most }, blocksAll)).toBe(true);
    expect(looksLikeProtector({ ...stat, threads: most + 1 }, blocksAll)).toBe(false);
  });

  it.each([
    ["has exec'd", { isForkWithoutExec: false }, blocksAll],
    ["can be ended by a signal", {}, "SigBlk:\tffffffffffffbfff\n"],
    ["is gone", {}, ""],
  ])("knows none that %s", (_, different, status) => {
    expect(looksLikeProtector({ ...stat, ...different }, status)).toBe(false);
  });
});
