import { once } from "node:events";
import type { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { program, root } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, residentBytes, until } from "../support/proc.js";
import { ending, protect, runToEnd, startReady } from "../support/start.js";

/** A Node.js process that runs this text behind the import of the package. */
function node(text: string): string[] {
  const all = `import { protectSelf } from "${root}/dist/index.js"; ${text}`;
  return [process.execPath, "--input-type=module", "--eval", all];
}

describe("protectSelf", () => {
  it("protects a Node.js process, threads, memory and all", async () => {
    const child = await startReady(
      node(`
        import { Worker } from "node:worker_threads";
        const held = Array.from({ length: 64 }, () => Buffer.alloc(1 << 20, 1));
        new Worker("setInterval(() => {}, 1000)", { eval: true }).once("online", () => {
          protectSelf();
          protectSelf();
          console.log("ready", held.length);
        });`),
    );
    const helper = helperOf(child.pid); // one, though it was asked for twice

    process.kill(helper, "SIGSTOP");
    child.kill("SIGTERM");
    expect(await ending(child)).toBe("SIGTERM");
    expect(residentBytes(helper)).toBeGreaterThan(64 << 20);
    process.kill(helper, "SIGCONT");
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("protects anew where its helper was killed, and where a variable only says that it is protected", async () => {
    const child = await startReady(
      protect(
        node(`
          process.stdin.once("data", () => { protectSelf(); protectSelf(); console.log("again"); });
          protectSelf();
          console.log("ready");`),
      ),
    );
    const first = helperOf(child.pid);

    process.kill(first, "SIGKILL");
    await until(() => !isAlive(first), "the first helper is gone");
    child.stdin?.write("go");
    await once(child.stdout as Readable, "data");
    expect(isAlive(helperOf(child.pid))).toBe(true);

    const claimed =
      "process.env.ASYNC_TEARDOWN = 'pid:' + String(process.pid).padStart(10, 0) + '/ns:0000000000/strict:0';";
    const unprotected = await startReady(
      node(`${claimed} protectSelf(); console.log("ready"); setInterval(() => {}, 1000);`),
    );
    expect(isAlive(helperOf(unprotected.pid))).toBe(true);
  });

  it("makes one helper for all threads that ask at once", async () => {
    const child = await startReady(
      node(`
        import { Worker } from "node:worker_threads";
        const source = \`
          import { parentPort } from "node:worker_threads";
          import { protectSelf } from "${root}/dist/index.js";
          protectSelf();
          parentPort.postMessage("protected");
          setInterval(() => {}, 1000);\`;
        const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true }));
        protectSelf();
        await Promise.all(workers.map((worker) => new Promise((heard) => worker.once("message", heard))));
        console.log("ready");`),
    );
    expect(helpersOf(child.pid)).toHaveLength(1);
  });

  it("leaves children and their exits to Node.js", async () => {
    const { exitCode, stdout } = await runToEnd(
      node(`
        import { spawnSync, execFileSync } from "node:child_process";
        protectSelf();
        console.log(spawnSync("sh", ["-c", "exit 7"]).status, String(execFileSync("echo", ["hello"])).trim());`),
    );
    expect([exitCode, stdout]).toEqual([0, "7 hello"]);
  });

  it("does nothing in a process that was started protected", async () => {
    const child = await startReady(
      protect(node("protectSelf(); console.log('ready'); setInterval(() => {}, 1000);")),
    );
    await until(() => helpersOf(child.pid).filter(isAlive).length === 1, "only one helper is left");
  });

  it("can be called in a worker thread, and outlives it", async () => {
    const child = await startReady(
      node(`
        import { Worker } from "node:worker_threads";
        const source = 'import("${root}/dist/index.js").then(({ protectSelf }) => protectSelf())';
        new Worker(source, { eval: true }).once("exit", () => { console.log("ready"); setInterval(() => {}, 1000); });`),
    );
    const helper = helperOf(child.pid);
    child.kill("SIGKILL");
    await ending(child);
    await until(() => !isAlive(helper), "the helper is gone");
  });

  it("throws where the kernel refuses, and the process goes on", async () => {
    const denied = [program("deny"), "clone-vm:11,chdir:1"];
    const { exitCode, stdout } = await runToEnd([
      ...denied,
      ...node("try { protectSelf(); } catch ({ code, message }) { console.log(code, message); }"),
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^ERR_HELPER this process cannot be protected: could not clone the helper \(EAGAIN: .*ulimit -u/,
    );
  });
});
