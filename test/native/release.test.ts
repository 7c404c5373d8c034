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
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { parseRecord } from "../../src/linux/record.js";
import { affordable, GiB, MiB } from "../support/memory.js";
import { library, program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, link, residentBytes, status, until } from "../support/proc.js";
import { ending, runToEnd, type Started, start, startReady } from "../support/start.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, "file");
const cpus = /^Cpus_allowed:\s+([0-9a-f,]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "1";
const allowedCpus = [...BigInt(`0x${cpus.replaceAll(",", "")}`).toString(2)].filter(
  (bit) => bit === "1",
).length;

/** A command that starts protected, with release options in the words of the variable. */
function released(options: string, words: readonly string[]): string[] {
  return [
    "env",
    `LD_PRELOAD=${library}`,
    `ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/strict:1${options}`,
    ...words,
  ];
}

const kind = (name: string, bytes: number) => [program("kinds"), name, String(bytes), file];

function startKind(name: string, bytes: number, options = ""): Promise<Started> {
  return startReady(released(options, kind(name, bytes)));
}

async function kill(child: Started): Promise<void> {
  child.kill("SIGKILL");
  await ending(child);
}

const threadsOf = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number);

/** What a helper has written into its memory file. */
function recordOf(helper: number) {
  for (const fd of readdirSync(`/proc/${helper}/fd`))
    try {
      const record = parseRecord(readFileSync(`/proc/${helper}/fd/${fd}`, "utf8"));
      if (record?.state === "releasing") return record;
    } catch {
      // a pidfd cannot be read
    }
  return undefined;
}

/** Looks at a helper between the death and its end, as often as possible. */
async function look<Seen>(helper: number, at: (helper: number) => Seen | undefined): Promise<Seen[]> {
  const seen: Seen[] = [];
  const end = Date.now() + 60_000;

  while (isAlive(helper)) {
    if (Date.now() > end) throw new Error("the release does not end");
    try {
      const one = at(helper);
      if (one !== undefined) seen.push(one);
    } catch {
      // it ended in between
    }
    await sleep(1);
  }
  return seen;
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
  ["locked", bytes],
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
    it.each(kinds)("gives %s memory back, and ends", { timeout: 60_000 }, async (name, size) => {
      if (name === "file" || name === "copied") writeFileSync(file, Buffer.alloc(size, 1));
      const child = await startKind(name, size, options);
      const helper = helperOf(child.pid);

      process.kill(helper, "SIGSTOP");
      await kill(child);
      process.kill(helper, "SIGCONT");
      await look(helper, () => undefined);
      expect(helpersOf(child.pid).filter(isAlive)).toEqual([]);
      if (name === "file") expect(readFileSync(file).equals(Buffer.alloc(size, 1))).toBe(true);
      rmSync(file, { force: true });
    });
  },
);

/** The thread for files and shared memory, besides the workers. */
const files = 1;

describe("workers", () => {
  /** The most threads that a release has had, and what its record told at last. */
  async function workersOf(options: string, size: number) {
    const child = await startKind("small", size, options);
    const helper = helperOf(child.pid);

    expect(threadsOf(helper)).toHaveLength(1);
    await kill(child);
    const seen = await look(helper, (pid) => ({ threads: threadsOf(pid).length, told: recordOf(pid) }));
    return {
      threads: Math.max(...seen.map(({ threads }) => threads)),
      told: seen.flatMap(({ told }) => (told ? [told.workers ?? 0] : [])).at(-1),
    };
  }

  it("are one more at a time, up to what was asked for", async () => {
    expect(await workersOf("/workers:5", affordable(GiB))).toEqual({ threads: 5 + files, told: 5 });
    expect(await workersOf("/workers:1", affordable(GiB))).toEqual({ threads: 1 + files, told: 1 });
  });

  it("are as many as there are CPUs for the target", async () => {
    expect(await workersOf("", affordable(GiB))).toEqual({
      threads: allowedCpus + files,
      told: allowedCpus,
    });
  });

  it("have the helper's filter, and no capabilities", async () => {
    const child = await startKind("small", affordable(GiB), "/workers:4");
    const helper = helperOf(child.pid);

    await kill(child);
    const seen = await look(helper, (pid) =>
      threadsOf(pid).length === 4 + files
        ? threadsOf(pid).map((thread) => {
            const { Seccomp, NoNewPrivs, CapEff, SigBlk } = status(thread);
            return [Seccomp, NoNewPrivs, CapEff, SigBlk].join();
          })
        : undefined,
    );
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen.flat())).toEqual(new Set(["2,1,0000000000000000,fffffffffffbfeff"]));
  });

  it("that are killed in the midst leave nothing behind", async () => {
    const child = await startKind("small", affordable(GiB), "/workers:4");
    const helper = helperOf(child.pid);

    await kill(child);
    await until(() => threadsOf(helper).length > 1 + files, "a second worker is there");
    process.kill(helper, "SIGKILL");
    await until(() => !isAlive(helper), "the helper is gone");
  });
});

describe("where the release is forbidden", () => {
  const EPERM = 1;
  /** Opened while the helper lives, its record can be read when it is gone. */
  const openRecord = (helper: number) => {
    const isRecord = (fd: string) => link(helper, `fd/${fd}`).startsWith("/memfd:async-teardown");
    const fd = readdirSync(`/proc/${helper}/fd`).find(isRecord);
    return fd === undefined ? undefined : openSync(`/proc/${helper}/fd/${fd}`, "r");
  };

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
    const child = await startReady(released(`/workers:3${options}`, [...deny, ...kind("small", bytes)]));
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
  it.each([256 * MiB, 512 * MiB])(
    "of %d is kept within a tenth, over any second",
    { timeout: 30_000 },
    async (rate) => {
      const child = await startKind("small", affordable(4 * rate), `/rate:${rate}`);
      const helper = helperOf(child.pid);

      await kill(child);
      const seen = await look(helper, (pid) => ({ at: performance.now(), left: residentBytes(pid) }));
      const begun = seen.findIndex(({ left }) => left < (seen[0]?.left ?? 0));
      const looks = seen.slice(begun).filter(({ left }) => left > 16 * MiB);
      const seconds = looks.flatMap(({ at, left }) => {
        const later = looks.find((other) => other.at >= at + 1000);
        return later ? [((left - later.left) / (later.at - at)) * 1000] : [];
      });

      expect(seconds.length).toBeGreaterThan(100);
      expect(Math.max(...seconds)).toBeLessThan(1.1 * rate);
      // Others may have taken the CPU for a while: that it is never late for long is for the benchmark to show.
      const onTime = seconds.filter((bytesASecond) => bytesASecond > 0.9 * rate);
      expect(onTime.length).toBeGreaterThan(0.8 * seconds.length);
    },
  );

  it("is of private memory: what others wait for is not slowed down", async () => {
    const child = await startKind("memfd", affordable(256 * MiB), `/rate:${MiB}`);
    const helper = helperOf(child.pid);

    await kill(child);
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("is told in the record", async () => {
    const child = await startKind("small", affordable(256 * MiB), `/rate:${256 * MiB}/priority:low`);
    const helper = helperOf(child.pid);

    await kill(child);
    const [seen] = await look(helper, recordOf);
    expect(seen).toMatchObject({ state: "releasing", rate: 256 * MiB, priority: "low", workers: 1 });
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

  it.each([
    ["low", { nice: 19 }],
    ["idle", { policy: SCHED_IDLE }],
  ])("%s is that of all workers, once the target is dead", async (priority, expected) => {
    const child = await startKind("small", affordable(GiB), `/workers:3/priority:${priority}`);
    const helper = helperOf(child.pid);

    expect(scheduling(helper)).not.toMatchObject([expected]);
    await kill(child);
    const seen = await look(helper, (pid) =>
      threadsOf(pid).length === 3 + files ? scheduling(pid) : undefined,
    );
    expect(seen.length).toBeGreaterThan(0);
    expect(seen[0]).toMatchObject([expected, expected, expected, expected]);
    // Empty in a cgroup other than the root, where sessions are not grouped.
    expect(autogroupOf(process.pid)).toMatch(/^$|nice 0$/m);
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
    `is free within 20 ms of the death of 8 GiB: a lock, a mount (${cannotMount ?? "both"})`,
    { timeout: 120_000 },
    async () => {
      const times: number[] = [];

      for (let run = 0; run < 3; run++) {
        mountIt();
        const size = Math.min(8 * GiB, Math.floor((freemem() * 0.6) / MiB) * MiB);
        const words = [program("locker"), join(folder, "locked"), join(mount, "file"), String(size)];
        const child = await startReady(released("", words));
        const helper = helperOf(child.pid);
        const answer = await runToEnd([
          program("successor"),
          String(child.pid),
          join(folder, "locked"),
          mount,
        ]);
        const { lock, mount: mounted } = JSON.parse(answer.stdout);

        expect(isAlive(helper), "the memory is not back yet").toBe(true);
        times.push(Math.max(lock, mounted));
        await until(() => !isAlive(helper), "the helper is gone");
      }
      expect(times.sort((a, b) => a - b)[1]).toBeLessThan(20);
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
        const child = await startReady(
          released("", [...kind("beside", size).slice(0, 3), join(mount, "file")]),
        );
        const helper = helperOf(child.pid);

        await kill(child);
        await until(() => heldBy(helper) < size / 8, "the private memory is back");
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
    const child = start(released("", [program("deaf-pager"), String(size)]));
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
