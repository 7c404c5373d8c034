import { describe, expect, it } from "vitest";
import { attach } from "../../src/protect/attach.js";
import { missing } from "../support/component.js";
import { noHolder, timeExit } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { isAlive, residentBytes, until } from "../support/proc.js";
import { type Started, start } from "../support/start.js";

const noJava = noHolder ?? (await missing("java", "openjdk-17-jre-headless"));
const heap = affordable(1024 * MiB);

/** A JVM with all of its heap in use: the RMI registry is a server that every runtime has. */
async function startJava(): Promise<Started> {
  const size = [`-Xms${heap}`, `-Xmx${heap}`, "-XX:+AlwaysPreTouch", "-XX:-UseTransparentHugePages"];
  const registry = ["-m", "java.rmi/sun.rmi.registry.RegistryImpl", "0"];
  const child = start(["java", ...size, ...registry], { stdio: "ignore" });

  await until(() => residentBytes(child.pid) > heap, "the heap is there");
  return child;
}

/** Milliseconds from the signal to the word of the end, not held and held; the shortest of three each. */
async function timeBoth(signal: "SIGKILL" | "SIGTERM") {
  const times = { plain: Number.POSITIVE_INFINITY, held: Number.POSITIVE_INFINITY };
  const end = (child: Started) => child.kill(signal);

  for (let run = 0; run < 3; run++) {
    times.plain = Math.min(times.plain, await timeExit(await startJava(), end));
    const child = await startJava();
    const { holder } = await attach(child.pid);
    times.held = Math.min(times.held, await timeExit(child, end));
    await until(() => !isAlive(holder), "the holder is gone");
  }
  return times;
}

describe.skipIf(noJava)(`a JVM (${noJava ?? "it is there"})`, () => {
  it("that is held and killed exits at once", { timeout: 120_000 }, async () => {
    const { plain, held } = await timeBoth("SIGKILL");
    expect(held).toBeLessThan(plain / 5);
  });

  // What it does itself before it exits takes up to 300 ms.
  it("that is held and told to end is gone sooner by what its memory costs", {
    timeout: 120_000,
  }, async () => {
    const { plain, held } = await timeBoth("SIGTERM");
    expect(held).toBeLessThan(plain);
  });
});
