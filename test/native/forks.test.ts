import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { MiB } from "../support/memory.js";
import { asyncTeardown, program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, until } from "../support/proc.js";
import { runToEnd, type Started, start } from "../support/start.js";

const family: number[] = [];

afterEach(async () => {
  const helpers = family.flatMap(helpersOf);

  for (const pid of [...family.splice(0), ...helpers].filter(isAlive)) process.kill(pid, "SIGKILL");
  await until(() => !helpers.some(isAlive), "the helpers are gone");
});

/** Starts the forker of test/targets; gives it, the PIDs of child and grandchild, and what it says next. */
async function startFamily(words: readonly string[]) {
  const child: Started = start([...words, program("forker"), String(MiB)]);
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  const said: string[] = [];
  lines.on("line", (line) => said.push(line));

  await until(() => said.length === 3, "three generations are there");
  const [eldest = 0, middle = 0, youngest = 0] = said.map(Number);
  family.push(middle, youngest);
  return { child, eldest, middle, youngest, said };
}

const following = [asyncTeardown, "run", "--follow-forks", "--"];

describe("run --follow-forks", () => {
  it("protects children by fork, and theirs, each by a helper of its own", async () => {
    const { child, eldest, middle, youngest } = await startFamily(following);

    expect(eldest).toBe(child.pid);
    expect(new Set([eldest, middle, youngest].map(helperOf)).size).toBe(3);
  });

  it("lets the parent of a child hear of its end while its memory is still there", async () => {
    const { middle, youngest, said } = await startFamily(following);
    const helper = helperOf(middle);

    process.kill(helper, "SIGSTOP");
    process.kill(middle, "SIGKILL");
    await until(() => said.includes("done"), "the eldest has heard of it");
    expect([isAlive(helper), isAlive(youngest)]).toEqual([true, true]);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the memory is back");
    expect(isAlive(helperOf(youngest))).toBe(true);
  });

  it("is never the end of a child that cannot be protected", async () => {
    const words = [
      program("deny"),
      "clone-vm:1",
      asyncTeardown,
      "run",
      "--follow-forks",
      "--best-effort",
      "--",
    ];
    const { eldest, middle, youngest } = await startFamily(words);

    expect([eldest, middle, youngest].map(isAlive)).toEqual([true, true, true]);
    expect([eldest, middle, youngest].flatMap(helpersOf).filter(isAlive)).toEqual([]);
  });

  it("is only for whom it is asked for", async () => {
    const { eldest, middle, youngest } = await startFamily([asyncTeardown, "run", "--"]);

    expect(isAlive(helperOf(eldest))).toBe(true);
    expect([middle, youngest].flatMap(helpersOf)).toEqual([]);
  });

  it("needs a helper", async () => {
    for (const mechanism of ["holder", "both"]) {
      const words = [asyncTeardown, "run", "--follow-forks", "--mechanism", mechanism, "--", "true"];
      const { exitCode, stderr } = await runToEnd(words);
      expect([exitCode, stderr]).toEqual([125, expect.stringContaining("a holder holds one process")]);
    }
  });
});
