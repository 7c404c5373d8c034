import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { directoryOf, parseCgroupMounts, parseCgroups } from "../../src/linux/cgroup.js";
import { attach } from "../../src/protect/attach.js";
import { endWhileHeld, endWhileStopped, noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { holderOf, isAlive } from "../support/proc.js";
import { hog, runToEnd, startReady } from "../support/start.js";

/** A cgroup (version 2) of the test's own, or why there is none. */
function makeCgroup(): { path: string; directory: string } | string {
  const mount = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8")).find(
    ({ hierarchy }) => hierarchy === "",
  );
  const own = parseCgroups(readFileSync("/proc/self/cgroup", "utf8")).get("");

  if (!mount || own === undefined) return "no cgroup tree of version 2 is mounted";
  const path = `${own === "/" ? "" : own}/async-teardown-test-${process.pid}`;
  const directory = directoryOf(mount, path) ?? "";

  try {
    mkdirSync(directory);
    return { path, directory };
  } catch (error) {
    return `cannot make a cgroup: ${String(error)}`;
  }
}

const cgroup = noHolder ?? makeCgroup();
const { path, directory } = typeof cgroup === "string" ? { path: "", directory: "" } : cgroup;

afterAll(() => {
  if (directory) rmdirSync(directory);
});

const cgroupOf = (pid: number) => parseCgroups(readFileSync(`/proc/${pid}/cgroup`, "utf8")).get("");

/** A command that starts in the test's cgroup. */
const inside = (words: readonly string[]) => [
  ...["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', directory],
  ...words,
];

const killAll = () => writeFileSync(`${directory}/cgroup.kill`, "1");

describe.skipIf(typeof cgroup === "string")(
  `a cgroup (${typeof cgroup === "string" ? cgroup : "v2"})`,
  () => {
    it("that is killed as a whole does not take the holder along", { timeout: 60_000 }, async () => {
      const words = inside(hog(affordable(64 * MiB), "stay"));
      await endWhileHeld({ words, end: killAll });
    });

    // A helper alone is killed as well: whether it or the target is the last to go, and pays, is chance.
    it("that is killed as a whole leaves the holder of run --mechanism both", {
      timeout: 60_000,
    }, async () => {
      const words = hog(affordable(64 * MiB), "stay");
      const run = [asyncTeardown, "run", "--mechanism", "both", "--", ...words];
      const child = await startReady(inside(run));

      await endWhileStopped(child, [holderOf(child.pid)], killAll);
    });

    it("is where the holder runs if it is asked for, and not otherwise", async () => {
      const { pid } = await startReady(inside(hog(0, "stay")));
      const place = async (asked?: string) => {
        const hold = await attach(pid, { cgroup: asked });
        const cgroups = cgroupOf(hold.holderPid);

        expect(hold.warning).toBeUndefined();
        await hold.detach();
        return cgroups;
      };

      expect(cgroupOf(pid)).toBe(path);
      expect(await place()).toMatch(/^\/async-teardown$/);
      expect(await place("same")).toBe(path);
      expect(await place(path)).toBe(path);
      expect(await place(directory)).toBe(path);
    });

    it("that is not there, or not in the tree, is refused", async () => {
      const { pid } = await startReady(hog(0, "stay"));

      for (const name of ["/no/such", "/../../tmp", "/tmp"])
        await expect(attach(pid, { cgroup: name })).rejects.toMatchObject({ code: "ERR_CGROUP" });
    });
  },
);

describe.skipIf(noHolder)("without a writable cgroup tree", () => {
  it("the holder stays where the caller is, and attach says so", async () => {
    const { pid } = await startReady(hog(0, "stay"));
    const readOnly =
      'for tree in $(findmnt -rno TARGET -t cgroup,cgroup2); do mount -o remount,bind,ro "$tree"; done; exec "$@"';
    const words = ["unshare", "--mount", "sh", "-c", readOnly, "-", asyncTeardown, "attach", String(pid)];
    const { exitCode, stderr } = await runToEnd(words);

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/the holder stays in the cgroup of this process.*\(EROFS\)$/m);
    expect(isAlive(holderOf(pid))).toBe(true);
    expect(cgroupOf(holderOf(pid))).toBe(cgroupOf(process.pid));
  });
});
