import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { gainOfHolding, noHolder } from "../support/holder.js";
import { affordable, GiB, MiB } from "../support/memory.js";
import { asyncTeardown } from "../support/paths.js";
import { holderOf, holdersOf, isAlive, isParked, residentBytes, until } from "../support/proc.js";
import { ending, runToEnd, startReady } from "../support/start.js";

const noJava = noHolder ?? (await missing("java", "default-jre-headless"));

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Answers each number with the sum of what 50 threads say, each after a garbage collection. */
const program = `
  import java.util.Scanner;
  import java.util.concurrent.*;

  class Server {
    public static void main(String[] arguments) throws Exception {
      var threads = Executors.newFixedThreadPool(50);
      var barrier = new CyclicBarrier(50, System::gc);

      System.out.println("ready");
      for (var in = new Scanner(System.in); in.hasNextInt();) {
        int number = in.nextInt(), sum = 0;
        Callable<Integer> wait = () -> { barrier.await(); return number; };
        for (var each : threads.invokeAll(java.util.Collections.nCopies(50, wait))) sum += each.get();
        System.out.println(sum);
      }
    }
  }`;
const source = join(folder, "Server.java");
writeFileSync(source, program); // java compiles it by itself, in memory

const heap = affordable(GiB);
const size = `${heap / MiB}m`;
const java = [
  "java",
  `-Xms${size}`,
  `-Xmx${size}`,
  "-XX:+AlwaysPreTouch",
  "-XX:-UseTransparentHugePages",
  source,
];

describe.skipIf(noJava)(`Java (${noJava ?? "it is there"})`, () => {
  it("goes on with all its threads while it is held, and leaves nothing behind", async () => {
    const jvm = await startReady(java);
    const lines = createInterface(jvm.stdout as NonNullable<typeof jvm.stdout>)[Symbol.asyncIterator]();
    const ask = async (number: number) => {
      jvm.stdin?.write(`${number}\n`);
      return (await lines.next()).value;
    };
    expect(await ask(1)).toBe("50");
    const threads = readdirSync(`/proc/${jvm.pid}/task`);

    expect(residentBytes(jvm.pid)).toBeGreaterThan(heap);
    expect((await runToEnd([asyncTeardown, "attach", String(jvm.pid)])).exitCode).toBe(0);
    const holder = holderOf(jvm.pid);
    expect(await ask(2)).toBe("100");
    expect(readdirSync(`/proc/${jvm.pid}/task`)).toEqual(threads);
    expect(isParked(holder)).toBe(true);
    jvm.stdin?.end();
  });

  it("ends at once by SIGKILL", async () => {
    expect(await gainOfHolding({ words: java })).toBeGreaterThan(5);
  });

  it("x", async () => {
    console.log("KILL", await gainOfHolding({ words: java }));
    console.log("TERM", await gainOfHolding({ words: java, end: (child) => child.kill("SIGTERM") }));
  });
});
