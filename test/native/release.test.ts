import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { list } from "../../src/index.js";
import { parseRecord } from "../../src/linux/protector-record.js";
import { affordable, MiB } from "../support/memory.js";
import { program } from "../support/paths.js";
import {
  helperOf,
  helpersOf,
  isAlive,
  link,
  residentBytes,
  status,
  stepThrough,
  until,
} from "../support/proc.js";
import { ending, protect, runToEnd, type Started, start, startReady } from "../support/start.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, "file");
const cpus = /^Cpus_allowed:\s+([0-9a-f,]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "1";
const allowedCpus = [...BigInt(`0x${cpus.replaceAll(",", "")}`).toString(2)].filter(
  (bit) => bit === "1",
).length;

const kind = (name: string, bytes: number) => [program("kinds"), name, String(bytes), file];

function startKind(name: string, bytes: number, options = ""): Promise<Started> {
  return startReady(protect(kind(name, bytes), options));
}

async function kill(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

const threadsOf = (pid: number): number[] => readdirSync(`/proc/${pid}/task`).map(Number);

const isRecord = (helper: number, fd: string) => link(helper, `fd/${fd}`).startsWith("/memfd:async-teardown");

/** What a helper has written into its memory file. */
function recordOf(helper: number) {
  for (const fd of readdirSync(`/proc/${helper}/fd`))
    try {
      if (!isRecord(helper, fd)) continue;
      const record = parseRecord(readFileSync(`/proc/${helper}/fd/${fd}`, "utf8"));
      if (record?.state === "releasing") return record;
    } catch {
      // it is closed, or the helper gone
    }
  return undefined;
}

/** Kills the target of a helper that stands still, so that the release begins when the test lets it. */
async function killBeforeRelease(child: Started): Promise<number> {
  const helper = helperOf(child.pid);

  process.kill(helper, "SIGSTOP");
  await kill(child);
  return helper;
}

/** Pages of the pool of 2 MiB pages, put there for one test. */
function poolOf(pages: number): { enough: boolean; giveBack(): void } {
  const pool = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
  if (process.getuid?.() !== 0 || !existsSync(pool)) return { enough: false, giveBack() {} };
  const before = readFileSync(pool, "utf8");

  writeFileSync(pool, String(Number(before) + pages));
  const enough = Number(readFileSync(pool, "utf8")) >= Number(before) + pages;
  return { enough, giveBack: () => writeFileSync(pool, before) };
}

const hugePages = 32;
const pool = poolOf(hugePages);
afterAll(pool.giveBack);

const bytes = affordable(128 * MiB);
const manyBytes = 60_000 * 4096;
const kinds: [string, number][] = [
  ["small", bytes],
  ["huge", bytes],
  ...(pool.enough
    ? ([
        ["hugetlb", hugePages * 2 * MiB],
        ["hugememfd", hugePages * 2 * MiB],
      ] as [string, number][])
    : []),
  // Others than root may lock 8 MiB or less.
  ...(process.getuid?.() === 0 ? ([["locked", bytes]] as [string, number][]) : []),
  ["memfd", bytes],
  ["deleted", bytes],
  ["file", bytes],
  ["copied", bytes],
  ["many", manyBytes],
  ["apart", manyBytes],
  ["sparse", bytes],
];

describe.each(["", "/workers:1", "/workers:7", "/rate:1073741824", "/priority:idle"])(
  "a release with '%s'",
  (options) => {
    it.each(kinds)("gives %s memory back, and ends", async (name, size) => {
      if (name === "file" || name === "copied") writeFileSync(file, Buffer.alloc(size, 1));
      const child = await startKind(name, size, options);
      const helper = await killBeforeRelease(child);

      process.kill(helper, "SIGCONT");
      await until(() => !isAlive(helper), "the helper is gone");
      expect(helpersOf(child.pid).filter(isAlive)).toEqual([]);
      if (name === "file") expect(readFileSync(file).equals(Buffer.alloc(size, 1))).toBe(true);
      rmSync(file, { force: true });
    });
  },
);

/** The thread for files and shared memory, besides the workers. */
const files = 1;

/** Opened while the helper lives, its record can be read when it is gone. Undefined where it has none. */
function openRecord(helper: number): number | undefined {
  const fd = readdirSync(`/proc/${helper}/fd`).find((each) => isRecord(helper, each));

  return fd === undefined ? undefined : openSync(`/proc/${helper}/fd/${fd}`, "r");
}

const hasSecondWorker = (helper: number) => threadsOf(helper).length > 1 + files;

/**
 * Looks at a helper whose release has a second worker, or whatever is awaited, while it stands still. A release may be
 * over before: then it is tried again.
 */
async function lookAtWorkers<Seen>(
  options: string,
  look: (helper: number) => Seen,
  isSoFar = hasSecondWorker,
): Promise<Seen> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const helper = await killBeforeRelease(await startKind("small", affordable(256 * MiB), options));
    const seen = await stepThrough(helper, (pid) => (isSoFar(pid) ? { what: look(pid) } : undefined));
    const found = seen.find((one) => one !== undefined);

    if (found) return found.what;
  }
  throw new Error("twenty releases did not come so far");
}

describe("workers", () => {
  /** How many there have been at last, as the record tells. */
  async function workersOf(options: string) {
    const child = await startKind("small", affordable(512 * MiB), options);
    const helper = helperOf(child.pid);
    const record = openRecord(helper) ?? -1;

    expect(threadsOf(helper)).toHaveLength(1);
    await kill(child);
    await until(() => !isAlive(helper), "the helper is gone");
    const told = parseRecord(readFileSync(record, "utf8"));
    closeSync(record);
    return told?.state === "releasing" ? told.workers : undefined;
  }

  it("are one more at a time, up to what was asked for", async () => {
    expect(await workersOf("/workers:5")).toBe(5);
    expect(await workersOf("/workers:1")).toBe(1);
  });

  it("are as many as there are CPUs for the target", async () => {
    expect(await workersOf("")).toBe(allowedCpus);
  });

  it("have the helper's filter, and no capabilities", async () => {
    const seen = await lookAtWorkers("/workers:4", (pid) =>
      threadsOf(pid).map((thread) => {
        const { Seccomp, NoNewPrivs, CapEff, SigBlk } = status(thread);
        return [Seccomp, NoNewPrivs, CapEff, SigBlk].join();
      }),
    );

    expect(new Set(seen)).toEqual(new Set(["2,1,0000000000000000,fffffffffffbfeff"]));
  });

  it("that are killed in the midst leave nothing behind", async () => {
    const helper = await lookAtWorkers("/workers:4", (pid) => {
      process.kill(pid, "SIGKILL");
      return pid;
    });

    await until(() => !isAlive(helper), "the helper is gone");
  });
});

describe("where the release is forbidden", () => {
  const EPERM = 1;

  it.each([
    ["clone-thread", ""],
    ["sched_getaffinity", ""],
    ["sched_setaffinity", ""],
    ["getcpu", ""],
    ["sched_setscheduler", "/priority:idle"],
    ["setpriority", "/priority:low"],
    ["munmap", ""],
    ["unshare", ""],
    ["memfd_create", ""],
  ])("%s, it ends all the same", async (call, options) => {
    const deny = [program("deny"), `${call}:${EPERM}`];
    const child = await startReady(protect([...deny, ...kind("small", bytes)], `/workers:3${options}`));
    const helper = helperOf(child.pid);
    const record = openRecord(helper);

    try {
      await kill(child);
      await until(() => !isAlive(helper), "the helper is gone");
      expect(record === undefined).toBe(call === "memfd_create");
      const told = record === undefined ? undefined : parseRecord(readFileSync(record, "utf8"));
      if (call === "clone-thread" || call === "unshare") expect(told).toMatchObject({ workers: 1 });
    } finally {
      if (record !== undefined) closeSync(record);
    }
  });
});

describe("a rate", () => {
  it.each([
    ["small", affordable(256 * MiB), 128 * MiB],
    ["many", 48 * MiB, 64 * MiB], // 12,288 mappings
  ])("is never exceeded, over any time, with %s memory", async (kind, size, rate) => {
    const burst = rate / 10; // a piece, and what may be made good for after a delay
    const child = await startKind(kind, size, `/rate:${rate}`);
    const helper = helperOf(child.pid);
    const looks: { before: number; after: number; left: number }[] = [];

    await kill(child);
    while (isAlive(helper)) {
      const before = performance.now();
      try {
        looks.push({ before, left: residentBytes(helper), after: performance.now() });
      } catch {
        // it ended in between
      }
      await sleep(10);
    }
    looks.push({ before: performance.now(), left: 0, after: performance.now() });
    expect(looks.length).toBeGreaterThan(2);
    // However long a look was interrupted, no more time than this has gone by between the two.
    for (const [index, early] of looks.entries())
      for (const late of looks.slice(index + 1)) {
        const seconds = (late.after - early.before) / 1000;
        expect(early.left - late.left).toBeLessThan(seconds * rate + burst);
      }
  });

  it("is of private memory: what others wait for is not slowed down", async () => {
    const child = await startKind("memfd", affordable(256 * MiB), `/rate:${MiB}`);
    const helper = helperOf(child.pid);

    await kill(child);
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("is told in the record", async () => {
    const child = await startKind("small", affordable(64 * MiB), `/rate:${2 * MiB}/priority:low`);
    const helper = helperOf(child.pid);

    await kill(child);
    await until(() => recordOf(helper) !== undefined, "it is told"); // half a minute, at that rate
    expect(recordOf(helper)).toMatchObject({
      state: "releasing",
      rate: 2 * MiB,
      priority: "low",
      workers: 1,
    });
  });
});

describe("a priority", () => {
  const SCHED_IDLE = 5;

  /** The nice value and the policy of each thread. */
  const scheduling = (pid: number) =>
    threadsOf(pid).map((thread) => {
      const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1")
        .split(") ")
        .at(-1)
        ?.split(" ");
      return { nice: Number(fields?.[16]), policy: Number(fields?.[38]) };
    });

  /** The session's group and its nice value, as sched(7) describes it. Empty where there are no such groups. */
  function autogroupOf(pid: number): string {
    const path = `/proc/${pid}/autogroup`;
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  afterEach(() => {
    // Empty in a cgroup other than the root, where sessions are not grouped.
    expect(autogroupOf(process.pid)).toMatch(/^$|nice 0$/m);
  });

  it("low is that of all workers, once the target is dead", async () => {
    const child = await startKind("small", MiB, "/priority:low");

    expect(scheduling(helperOf(child.pid))).not.toMatchObject([{ nice: 19 }]);
    const threads = await lookAtWorkers("/workers:3/priority:low", scheduling);
    expect(threads).toMatchObject(threads.map(() => ({ nice: 19 })));
  });

  it("idle is a helper's from the start, if it is its target's", async () => {
    const child = await startReady(["chrt", "--idle", "0", ...protect(kind("small", MiB))]);

    expect(scheduling(helperOf(child.pid))).toMatchObject([{ policy: SCHED_IDLE }]);
  });

  it("idle is that of the worker, once the target is dead", async () => {
    const child = await startKind("small", MiB, "/priority:idle");
    const isIdle = (pid: number) => scheduling(pid)[0]?.policy === SCHED_IDLE;

    expect(isIdle(helperOf(child.pid))).toBe(false);
    expect(await lookAtWorkers("/workers:3/priority:idle", isIdle, isIdle)).toBe(true);
  });
});

describe("what hangs off a mapping", () => {
  const mount = join(folder, "mount");
  afterEach(() => {
    spawnSync("umount", ["--lazy", mount]); // where the test has not come so far
  });
  const mountIt = () => execFileSync("mount", ["-t", "tmpfs", "async-teardown", mount], { stdio: "pipe" });
  const cannotMount = tryToMount();

  function tryToMount(): string | undefined {
    mkdirSync(mount);
    try {
      mountIt();
      execFileSync("umount", [mount]);
      return undefined;
    } catch (error) {
      return `no mount can be made: ${(error as Error).message}`;
    }
  }

  it.skipIf(cannotMount)(
    `is free long before private memory: a lock, a mount (${cannotMount ?? "both"})`,
    async () => {
      mountIt();
      const size = affordable(128 * MiB);
      const locked = join(folder, "locked");
      const words = [program("locker"), locked, join(mount, "file"), String(size)];
      const child = await startReady(protect(words, `/rate:${2 * MiB}`)); // a minute for all of it
      const helper = helperOf(child.pid);
      const { exitCode, stdout } = await runToEnd([program("successor"), String(child.pid), locked, mount]);

      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
      expect(residentBytes(helper)).toBeGreaterThan(size / 4);
    },
  );
});

describe("memory that others share", () => {
  it.skipIf(process.getuid?.() !== 0)("is theirs as it was (root looks)", async () => {
    const size = affordable(128 * MiB);
    const child = await startKind("memfd", size, "/workers:4");
    const maps = readFileSync(`/proc/${child.pid}/maps`, "utf8");
    const range = /^([0-9a-f]+-[0-9a-f]+) rw-s .*\/memfd:kinds/m.exec(maps)?.[1];
    const other = openSync(`/proc/${child.pid}/map_files/${range}`, "r");

    try {
      const helper = helperOf(child.pid);
      await kill(child);
      await until(() => !isAlive(helper), "the helper is gone");
      const page = Buffer.alloc(4096);
      for (let at = 0; at < size; at += page.length) {
        expect(readSync(other, page, 0, page.length, at)).toBe(page.length);
        if (page[0] !== 1) throw new Error(`the page at ${at} is gone`);
      }
    } finally {
      closeSync(other);
    }
  });
});

describe("what hangs", () => {
  /** Of a helper that may be ending: its first thread may be gone. */
  const heldBy = (helper: number) => {
    const held = threadsOf(helper).map((thread) => {
      try {
        return residentBytes(thread);
      } catch {
        return 0;
      }
    });
    return Math.max(...held);
  };
  const size = affordable(128 * MiB);

  const cannotServe =
    process.getuid?.() !== 0
      ? "root mounts it"
      : existsSync("/dev/fuse")
        ? undefined
        : "there is no /dev/fuse, of the kernel module 'fuse'";

  it.skipIf(cannotServe)(
    `a file server, keeps what was written to its file, and nothing else (${cannotServe ?? "FUSE"})`,
    async () => {
      const mount = join(folder, "hung");
      mkdirSync(mount);
      const server = await startReady([program("hung-server"), mount, String(MiB)]);

      try {
        const child = await startReady(protect([...kind("beside", size).slice(0, 3), join(mount, "file")]));
        const helper = helperOf(child.pid);

        await kill(child);
        await until(() => heldBy(helper) < size / 8, "the private memory is back");
        // The one thread that is left has what the main thread cannot show any more.
        const row = async () => (await list()).addressSpaces.find(({ target }) => target === child.pid);
        await expect
          .poll(async () => (await row())?.freedBytes, { timeout: 30_000 })
          .toBeGreaterThan(size / 2);
        expect(await row()).toMatchObject({
          state: "releasing",
          workers: expect.any(Number),
          heldBytes: expect.any(Number),
        });
        expect(threadsOf(helper).length, "it still waits for the server").toBeGreaterThan(0);
        expect(helpersOf(child.pid)).toEqual([helper]);
        await kill(server);
        await until(() => !isAlive(helper), "the helper is gone");
      } finally {
        await kill(server);
        execFileSync("umount", ["--lazy", mount]);
      }
    },
  );

  it("the reader of a userfaultfd, ends the release in favour of the exit, which asks nobody", async () => {
    const child = start(protect([program("deaf-pager"), String(size)]));
    const [words] = await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    const pager = Number(/^ready (\d+)$/m.exec(String(words))?.[1]);
    const helper = helperOf(child.pid);

    try {
      await kill(child);
      await until(() => !isAlive(helper), "the helper is gone");
      expect(isAlive(pager)).toBe(true);
    } finally {
      process.kill(pager, "SIGKILL");
    }
  });
});
