import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { affordable, MiB } from "../support/memory.js";
import { program, target } from "../support/paths.js";
import {
  childrenOf,
  helperOf,
  helpersOf,
  isAlive,
  link,
  residentBytes,
  settled,
  status,
  until,
} from "../support/proc.js";
import { ending, hog, protect, runToEnd, type Started, start, startReady } from "../support/start.js";

const ENOSYS = 38;

const noPython = missing("python3", "python3");

/** As the kernel is, and as older kernels and some containers are. */
const circumstances: [string, string[]][] = [
  ["on this kernel", []],
  ["without pidfd_open", [`pidfd_open:${ENOSYS}`]],
  ["without that and close_range", [`pidfd_open:${ENOSYS}`, `close_range:${ENOSYS}`]],
];

describe.each(circumstances)("a helper %s", (_, denied) => {
  const under = (words: string[]) => (denied.length ? [program("deny"), denied.join(","), ...words] : words);
  const startProtected = async (...hogWords: Parameters<typeof hog>): Promise<Started> => {
    const child = await startReady(protect(under(hog(...hogWords))));
    // That of the image before, of deny, may take a moment to go. Where the main thread has ended, whose a helper is
    // could not be told by its address space.
    await until(() => helpersOf(child.pid).filter(isAlive).length === 1, "one helper is left");
    return child;
  };

  it("bears the target's name, and has its user, cgroups and namespaces", async () => {
    const { pid } = await startProtected(0, "stay");
    const helper = helperOf(pid);

    expect(status(helper).Uid).toBe(status(pid).Uid);
    expect(status(helper).Gid).toBe(status(pid).Gid);
    expect(readFileSync(`/proc/${helper}/cgroup`, "utf8")).toBe(readFileSync(`/proc/${pid}/cgroup`, "utf8"));
    for (const namespace of readdirSync(`/proc/${pid}/ns`))
      expect(link(helper, `ns/${namespace}`)).toBe(link(pid, `ns/${namespace}`));
  });

  it("has shut the door: session, directory, descriptors, capabilities, system calls, signals", async () => {
    const { pid } = await startProtected(0, "stay");
    const helper = helperOf(pid);
    const { CapInh, CapPrm, CapEff, CapAmb, Seccomp, NoNewPrivs, SigBlk } = status(helper);
    const session = readFileSync(`/proc/${helper}/stat`, "utf8").split(") ")[1]?.split(" ")[3];

    expect(Number(session)).toBe(helper);
    expect(link(helper, "cwd")).toBe("/");
    // Who has fewer permitted ones can touch neither. Under a filter, which may kill, no capset is tried.
    expect(CapPrm).toBe(status(pid).CapPrm);
    if (denied.length === 0)
      expect([CapInh, CapEff, CapAmb].map((set) => Number(`0x${set}`))).toEqual([0, 0, 0]);
    expect([Seccomp, NoNewPrivs]).toEqual(["2", "1"]);
    // All but SIGKILL (9) and SIGSTOP (19), which cannot be blocked.
    expect(BigInt(`0x${SigBlk}`)).toBe(~((1n << 8n) | (1n << 18n)) & ((1n << 64n) - 1n));

    const descriptors = readdirSync(`/proc/${helper}/fd`).map((fd) => link(helper, `fd/${fd}`));
    // Where there is a pidfd; otherwise the target's stat file tells of its death as well.
    const death = denied.some((rule) => rule.startsWith("pidfd")) ? [] : ["pidfd"];
    // Under a filter, which may kill, no ioctl is tried.
    const pagemap = denied.length === 0 ? [`/proc/${helper}/pagemap`] : [];

    expect(descriptors).toHaveLength(5 + death.length + pagemap.length);
    expect(descriptors.filter((name) => name === `/proc/${helper}/maps`)).toHaveLength(2);
    expect(descriptors.filter((name) => name.includes("pidfd"))).toHaveLength(death.length);
    expect(descriptors).toEqual(
      expect.arrayContaining([
        ...pagemap,
        `/proc/${pid}/stat`,
        `/proc/${helper}/status`,
        "/memfd:async-teardown (deleted)",
      ]),
    );
  });

  it("does not run while it waits, and has at most 64 KiB of its own", async () => {
    const { pid } = await startProtected(0, "stay");
    const helper = helperOf(pid);
    const switches = () => [
      status(helper).voluntary_ctxt_switches,
      status(helper).nonvoluntary_ctxt_switches,
    ];

    const before = await settled(switches);
    await sleep(3000);
    expect(switches()).toEqual(before);

    // Its one mapping is the only one kept out of core dumps (dd) and of fork (dc), but for the guard.
    const mappings = readFileSync(`/proc/${pid}/smaps`, "utf8").split(/\n(?=[0-9a-f]+-)/);
    const own = mappings.filter((mapping) => /VmFlags:.* dc .*dd/.test(mapping) && / rw-p /.test(mapping));

    expect(own).toHaveLength(1);
    expect(Number(/^Rss: +(\d+) kB/m.exec(own[0] ?? "")?.[1])).toBeLessThanOrEqual(64);
  });

  it.skipIf(noPython)("keeps no port and no pipe of the target's after its death", async () => {
    const child = await startReady(protect(under(["python3", target("listener.py"), String(64 * MiB)])));
    const helper = helperOf(child.pid);
    const port = Number(status(child.pid).Name?.replace("port-", ""));
    const closed = once(child.stdout as NonNullable<typeof child.stdout>, "close");

    process.kill(helper, "SIGSTOP"); // it stays, with all that it has
    child.kill("SIGKILL");
    await closed;
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
    expect(isAlive(helper)).toBe(true);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it.each(["exit", "thread", "abort", "segv", "main-ends", "SIGKILL", "SIGTERM"])(
    "has the memory when the parent hears of the target's end by %s, and gives it back",
    async (way) => {
      const bytes = affordable(256 * MiB);
      const isSignal = way.startsWith("SIG");
      const child = await startProtected(bytes, isSignal ? "stay" : way);
      const helper = helperOf(child.pid);

      // Stopped, it can give nothing back: what is seen here does not depend on who is faster.
      process.kill(helper, "SIGSTOP");
      if (isSignal) child.kill(way as NodeJS.Signals);
      else child.stdin?.end();
      const expected = { exit: 7, thread: 8, "main-ends": 9, abort: "SIGABRT", segv: "SIGSEGV" }[way] ?? way;
      expect(await ending(child)).toBe(expected);

      expect(residentBytes(helper)).toBeGreaterThanOrEqual(bytes);
      process.kill(helper, "SIGCONT");
      await until(() => !isAlive(helper), "the helper is gone");
    },
  );

  it.each([
    ["the target", "exec"],
    ["another thread than its main one", "thread-exec"],
  ])("lets go of the old memory when %s execs, and protects the new program", async (_, way) => {
    const child = await startProtected(affordable(256 * MiB), way, program("hog"), "0", "stay");
    const first = helperOf(child.pid);

    child.stdin?.write("x");
    await until(() => !isAlive(first), "the first helper is gone");
    await until(() => helpersOf(child.pid).some(isAlive), "a second one is there");
    expect(status(child.pid).Name).toBe("hog");
    expect(residentBytes(helperOf(child.pid))).toBeLessThan(16 * MiB);
  });

  it("stays while the main thread is gone and others go on", async () => {
    const child = await startProtected(affordable(64 * MiB), "main-ends");
    const helper = helperOf(child.pid);

    await until(() => status(child.pid).State?.[0] === "Z", "the main thread has ended");
    await sleep(300);
    expect(isAlive(helper)).toBe(true);
    child.stdin?.end();
    expect(await ending(child)).toBe(9);
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("hardly runs while it waits for the others", { timeout: 60_000 }, async () => {
    const child = await startProtected(0, "main-ends");
    const helper = helperOf(child.pid);

    await until(() => status(child.pid).State?.[0] === "Z", "the main thread has ended");
    await sleep(2000); // its steps become longer
    const before = Number(status(helper).voluntary_ctxt_switches);
    await sleep(2000);
    expect(Number(status(helper).voluntary_ctxt_switches) - before).toBeLessThan(20);
    child.stdin?.end();
    expect(await ending(child)).toBe(9);
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("may be killed: the target goes on, and leaves nothing behind", async () => {
    const child = await startProtected(affordable(64 * MiB), "exit");
    const helper = helperOf(child.pid);

    process.kill(helper, "SIGKILL");
    await until(() => !isAlive(helper), "the helper is gone");
    expect(childrenOf(child.pid)).toEqual([]); // an init reaps it, when it likes
    await sleep(50);
    expect(isAlive(child.pid)).toBe(true);
    child.stdin?.end();
    expect(await ending(child)).toBe(7);
    expect(helpersOf(child.pid).filter(isAlive)).toEqual([]);
  });

  it("may be killed while it gives the memory back", async () => {
    const child = await startProtected(affordable(256 * MiB), "stay");
    const helper = helperOf(child.pid);

    process.kill(helper, "SIGSTOP");
    child.kill("SIGKILL");
    await ending(child);
    process.kill(helper, "SIGKILL");
    await until(() => !isAlive(helper), "the helper is gone");
  });
});

describe("a helper", () => {
  it("leaves alone what a child between vfork and exec still needs", async () => {
    const child = await startReady(protect([program("vforker")]), {
      stdio: ["ignore", "pipe", "inherit", "pipe"],
    });
    const helper = helperOf(child.pid);
    const output: Buffer[] = [];

    child.stdout?.on("data", (data: Buffer) => output.push(data));
    const closed = once(child.stdout as NonNullable<typeof child.stdout>, "close");

    child.kill("SIGKILL");
    expect(await ending(child)).toBe("SIGKILL");
    await until(() => !isAlive(helper), "the helper is gone");
    (child.stdio[3] as Writable).end(); // the vfork child may go on now, in its dead parent's memory
    await closed;
    expect(Buffer.concat(output).toString()).toBe("the memory is as it was\n");
  });

  it("is none of the target's children, and no signal to it", async () => {
    const child = start(protect([program("show")]));
    const output: Buffer[] = [];

    child.stdout?.on("data", (data: Buffer) => output.push(data));
    expect(await ending(child)).toBe(0);
    expect(Buffer.concat(output).toString()).toContain("\nchildren 0\n");
  });

  it.each(["0", "65"])("writes nothing where the target has put its own, bytes of %s", async (byte) => {
    const child = await startReady(protect([program("unmapper"), byte]));
    const helper = helperOf(child.pid);

    // Interrupted, the kernel begins the wait anew; killed, it clears a word of the helper's.
    process.kill(helper, "SIGSTOP");
    await until(() => status(helper).State?.[0] === "T", "the helper has stopped");
    process.kill(helper, "SIGCONT");
    await until(() => status(helper).State?.[0] !== "T", "it goes on");
    process.kill(helper, "SIGKILL");
    await until(() => !isAlive(helper), "the helper is gone");
    child.stdin?.end();
    expect(await ending(child)).toBe(0);
  });

  it("is none that a debugger follows with the target's children", async () => {
    const sh = ["sh", "-c", "(exit 3); exit 4"];

    expect(await runToEnd([program("tracer"), ...protect(sh)])).toMatchObject({
      exitCode: 4,
      stdout: "children followed: 1",
    });
  });
});
