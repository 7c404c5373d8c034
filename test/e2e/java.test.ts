import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { type Ending, endWhileHeld, noHolder } from "../support/holder.js";
import { affordable, GiB, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { holderOf, isAlive, isParked, residentBytes, until } from "../support/proc.js";
import { ending, runToEnd, startReady } from "../support/start.js";

const noJava = noHolder ?? missing("java", "default-jre-headless");

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const source = join(folder, "Server.java");
afterAll(() => rmSync(folder, { recursive: true }));

/** Answers each number with the sum of what 50 threads say after a garbage collection; or only waits. */
const server = `
  import java.util.*;
  import java.util.concurrent.*;

  class Server {
    public static void main(String[] arguments) throws Exception {
      var threads = Executors.newFixedThreadPool(50);
      var barrier = new CyclicBarrier(50, System::gc);

      System.out.println("ready");
      if (arguments.length > 0) Thread.currentThread().join();
      for (var in = new Scanner(System.in); in.hasNextInt();) {
        int number = in.nextInt(), sum = 0;
        Callable<Integer> say = () -> { barrier.await(); return number; };
        for (var each : threads.invokeAll(Collections.nCopies(50, say))) sum += each.get();
        System.out.println(sum);
      }
      System.exit(3);
    }
  }`;
writeFileSync(source, server); // what runs it also compiles it

const heap = affordable(GiB);
const sizes = [`-Xms${heap / MiB}m`, `-Xmx${heap / MiB}m`];
const java = ["java", ...sizes, "-XX:+AlwaysPreTouch", "-XX:-UseTransparentHugePages", source];

describe.skipIf(noJava)(`Java (${noJava ?? "it is there"})`, () => {
  it("goes on with all its threads while it is held, and leaves nothing behind", async () => {
    const jvm = await startReady(java);
    const lines = createInterface(jvm.stdout as NonNullable<typeof jvm.stdout>)[Symbol.asyncIterator]();
    const ask = async (number: number) => {
      jvm.stdin?.write(`${number}\n`);
      return (await lines.next()).value;
    };
    const threads = () => readdirSync(`/proc/${jvm.pid}/task`).length;

    expect(await ask(1)).toBe("50");
    expect(residentBytes(jvm.pid)).toBeGreaterThan(heap);
    expect((await runToEnd([asyncTeardown, "attach", String(jvm.pid)])).exitCode).toBe(0);
    const holder = holderOf(jvm.pid);
    for (let number = 2; number < 10; number++) expect(await ask(number)).toBe(String(50 * number));
    expect(threads()).toBeGreaterThan(50);
    await until(() => isParked(holder), "it is held");

    jvm.stdin?.end();
    expect(await ending(jvm)).toBe(3);
    await until(() => !isAlive(holder), "the holder is gone");
  });

  // A JVM that is told to end takes a while of its own: a few milliseconds if none of its threads is in a
  // system call, up to 300 ms if one is. So for SIGTERM none is.
  it.each([
    ["SIGKILL", { words: java }],
    ["SIGTERM", { words: [...java, "wait"], end: (jvm) => jvm.kill("SIGTERM") }],
  ] satisfies [string, Ending][])("is heard of by %s before its memory is back", async (_, command) => {
    await endWhileHeld(command);
  });
});
