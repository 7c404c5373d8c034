import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ownerOfProcess } from "../../src/linux/procfs.js";
import { noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { helperOf, isAlive, stop, until } from "../support/proc.js";
import { ending, hog, protect, runToEnd, type Started, start, startReady } from "../support/start.js";
import { onTerminal } from "../support/terminal.js";

const ps = (...words: string[]) => runToEnd([asyncTeardown, "ps", ...words]);

async function kill(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

/** What is said of other users' processes, which may be on this machine. */
const ofOthers = /^(async-teardown: \d+ more looks? like .*)?$/;

describe("ps", () => {
  it("has a line for each, under a heading", async () => {
    const child = await startReady(protect(hog(affordable(64 * MiB), "stay")));
    const { exitCode, stdout, stderr } = await ps();
    const [head, ...rows] = stdout.split("\n");

    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(ofOthers)]);
    // More columns are there if somebody else on this machine is releasing.
    expect(head?.trim().split(/ {2,}/)).toEqual(
      expect.arrayContaining(["TARGET", "COMMAND", "BY", "STATE", "HELD"]),
    );
    expect(rows.find((row) => row.trim().startsWith(`${child.pid} `))).toMatch(
      /^ *\d+ +hog \d+ stay +helper +protected +\d+(\.\d)? MiB/,
    );
  });

  it("tells machines, in bytes and seconds", async () => {
    const child = await startReady(protect(hog(0, "stay")));
    const { addressSpaces, hidden, hidesOthers } = JSON.parse((await ps("--json")).stdout);

    expect([hidden, hidesOthers]).toEqual([expect.any(Number), false]);
    expect(addressSpaces.find(({ target }: { target: number }) => target === child.pid)).toEqual({
      target: child.pid,
      command: hog(0, "stay"),
      ...ownerOfProcess(child.pid),
      state: "protected",
      protectors: [{ pid: helperOf(child.pid), mechanism: "helper" }],
      heldBytes: expect.any(Number),
      sharedBytes: expect.any(Number),
      initialBytes: null,
      freedBytes: null,
      bytesPerSecond: null,
      elapsedSeconds: null,
      remainingSeconds: null,
      workers: null,
      rateLimit: null,
      priority: null,
    });
  });

  it("tells how a release is done: its workers, and what it was asked for", async () => {
    const options = ["--workers", "2", "--rate", "1M", "--priority", "idle"];
    const words = [asyncTeardown, "run", "--mechanism", "helper", ...options, "--"];
    const child = await startReady([...words, ...hog(affordable(64 * MiB), "stay")]);

    await kill(child); // its memory now takes a minute, or the end of this test
    const seen = async () => {
      const [head, ...rows] = (await ps()).stdout.split("\n");
      return [head ?? "", rows.find((row) => row.trim().startsWith(`${child.pid} `)) ?? ""] as const;
    };
    let [head, row] = await seen();
    for (let looks = 0; looks < 100 && !row.includes("releasing"); looks++) [head, row] = await seen();

    expect(head).toMatch(/ WORKERS +LIMIT +PRIORITY/);
    expect(row).toMatch(/ helper +releasing .* 1 +1 MiB\/s +idle *$/);
  });

  it("shows what a process calls itself without letting it write to the terminal", async () => {
    const name = "\x1b[2Jx\ny\u202e";
    const child = await startReady(protect(["bash", "-c", 'exec -a "$0" "$@"', name, ...hog(0, "stay")]));
    const { stdout } = await ps();

    expect(stdout.split("\n").find((line) => line.trim().startsWith(`${child.pid} `))).toContain("?[2Jx?y?");
    expect(["\x1b", "\u202e"].filter((character) => stdout.includes(character))).toEqual([]);
  });

  it.each([100, 60, 40, 20])("keeps to a terminal of %d columns", async (width) => {
    const child = await startReady(protect(hog(0, "stay", "x".repeat(200))));
    const all = (await onTerminal("ps", { width, NO_COLOR: "1" })).trimEnd().split(/\r?\n/);
    const lines = all.filter((line) => line === "" || !ofOthers.test(line));

    expect(lines.some((line) => line.includes(String(child.pid)))).toBe(true);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it("is coloured on a terminal, unless NO_COLOR is set, and never in a pipe", async () => {
    await startReady(protect(hog(0, "stay")));

    expect(await onTerminal("ps")).toContain("\x1b[32mprotected");
    expect(await onTerminal("ps", { NO_COLOR: "1" })).not.toContain("\x1b[");
    expect((await ps()).stdout).not.toContain("\x1b[");
  });

  it("--watch writes a line where something begins or ends, into a pipe", async () => {
    const watching = start([asyncTeardown, "ps", "--watch"]);
    let text = "";

    watching.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    const child = await startReady(protect(hog(0, "stay")));
    const helper = helperOf(child.pid);
    const lines = () => text.split("\n").filter((line) => line.startsWith(`${child.pid}`));

    await until(() => lines().length === 1, "it is shown as protected");
    await stop(helper);
    await kill(child);
    await until(() => lines().length === 2, "it is shown as gone");
    process.kill(helper, "SIGCONT");
    await until(() => lines().length === 3, "it is shown no more");
    expect(lines()).toEqual([
      expect.stringMatching(/^\d+ hog: protected, .* held$/),
      expect.stringMatching(/^\d+ hog: target gone, .* held$/),
      `${child.pid}: its memory is back`,
    ]);
    expect(text).not.toContain("\x1b[");
  });

  it.each([[["--watch", "--json"]], [["--watch"]]])("%j ends when nobody reads any more", async (words) => {
    const watching = start([asyncTeardown, "ps", ...words]);

    watching.stdout?.destroy();
    // Something to tell, again and again: it may not have begun to look.
    while (watching.exitCode === null && watching.signalCode === null) {
      const child = await startReady(protect(hog(0, "stay")));
      await sleep(500);
      await kill(child);
    }
    expect(await ending(watching)).toBe(141); // as if by SIGPIPE
  });

  it("--watch draws a table on a terminal, no higher than that, until Ctrl-C", async () => {
    await Promise.all(Array.from({ length: 30 }, () => startReady(protect(hog(0, "stay")))));
    const text = await onTerminal("ps --watch", { under: "timeout --foreground --signal INT 4" });
    const screens = text.split("TARGET").map((screen) => screen.split("\n").length);

    expect(text).toMatch(/… and \d+ more/);
    expect(Math.max(...screens)).toBeLessThanOrEqual(24);
    expect(text.lastIndexOf("\x1b[?25h")).toBeGreaterThan(text.lastIndexOf("\x1b[?25l")); // the cursor is back
  });

  it("--watch --json writes an object a line", async () => {
    const child = await startReady(protect(hog(0, "stay")));
    const watching = await startReady([asyncTeardown, "ps", "--watch", "--json"]);
    const [line] = await new Promise<string[]>((resolve) =>
      watching.stdout?.once("data", (chunk) => resolve(String(chunk).split("\n"))),
    );

    expect(JSON.parse(line ?? "").addressSpaces.map(({ target }: { target: number }) => target)).toContain(
      child.pid,
    );
  });

  it.skipIf(noHolder)("counts what an ordinary user may not look into, and says so", async () => {
    const nobody = ["setpriv", "--reuid", "61234", "--clear-groups", asyncTeardown, "ps", "--json"];
    const hidden = async () => JSON.parse((await runToEnd(nobody)).stdout).hidden as number;
    const child = await startReady(protect(hog(0, "stay")));
    const helper = helperOf(child.pid);
    const { exitCode, stdout, stderr } = await runToEnd(nobody.slice(0, -1));

    expect(exitCode).toBe(0);
    expect(stdout).not.toContain(` ${child.pid} `);
    expect(stderr).toMatch(
      /^async-teardown: \d+ more looks? like a protector of another user's process; root may see$/,
    );
    expect(await hidden()).toBeGreaterThan(0);
    await stop(helper);
    await kill(child);
    expect(await hidden()).toBeGreaterThan(0);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the helper is gone");
  });
});
