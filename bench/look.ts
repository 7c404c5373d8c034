/* What it costs to look: `ps` on a machine with thousands of processes, and how soon `wait` hears of an end. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { list, wait, watch } from "async-teardown";
import { ms, note, show, sizeText, worst } from "./report.js";
import { fillable, turns } from "./rounds.js";
import { GiB, median } from "./units.js";

const processes = 5000;
const protectedOnes = 100;

/** Starts sleeping processes, all of them by one shell, and in a process group with it. */
async function startCrowd(count: number, words: readonly string[]): Promise<ChildProcess> {
  const script = 'n=$1; shift; while [ $n -gt 0 ]; do "$@" & n=$((n - 1)); done; echo ready; wait';
  const shell = spawn("sh", ["-c", script, "-", String(count), ...words], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });

  await once(shell.stdout, "data");
  return shell;
}

async function endCrowd(shell: ChildProcess): Promise<void> {
  process.kill(-(shell.pid as number), "SIGKILL");
  await once(shell, "exit");
}

/** Seconds that a command takes. */
function time(command: string, ...words: string[]): number {
  const start = performance.now();

  execFileSync(command, words, { stdio: ["ignore", "pipe", "inherit"] });
  return (performance.now() - start) / 1000;
}

async function benchPs(launcher: string, protecting: readonly string[], deadline: number): Promise<void> {
  note(`starting ${processes} processes`);
  const crowds = [
    await startCrowd(processes - protectedOnes, ["sleep", "1000"]),
    await startCrowd(protectedOnes, ["env", ...protecting, "sleep", "1000"]),
  ];
  const rows = () =>
    JSON.parse(String(execFileSync(launcher, ["ps", "--json"]))).addressSpaces.length as number;
  while (rows() < protectedOnes) note(`${rows()} of ${protectedOnes} are protected`);
  const times: Record<string, number[]> = { "node -e 0": [], "ps -e": [], "async-teardown ps": [] };

  let runs = 0;

  for (const run of turns(20, deadline)) {
    runs = run + 1;
    note(`ps, round ${runs}`);
    times["node -e 0"]?.push(time(process.execPath, "-e", "0"));
    times["ps -e"]?.push(time("ps", "-e"));
    times["async-teardown ps"]?.push(time(launcher, "ps"));
  }
  for (const crowd of crowds) await endCrowd(crowd);
  note("");
  show(
    `${processes} processes, ${protectedOnes} of them protected; ${runs} runs`,
    ["", "median", "worst"],
    Object.entries(times).map(([name, each]) => [name, ms(median(each)), ms(worst(each))]),
  );
}

/** A dead process whose helper is stopped; the helper's PID. */
async function startOrphan(protecting: readonly string[], hog: string): Promise<[number, number]> {
  const target = spawn("env", [...protecting, hog, "0", "stay"], { stdio: ["pipe", "pipe", "inherit"] });
  const pid = target.pid as number;

  await once(target.stdout, "data");
  const helper = (await list()).addressSpaces.find((each) => each.target === pid)?.protectors[0]
    ?.pid as number;
  process.kill(helper, "SIGSTOP");
  target.kill("SIGKILL");
  await once(target, "exit");
  return [pid, helper];
}

/** Seconds of CPU time that a process has had. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function benchWait(launcher: string, protecting: readonly string[], hog: string, deadline: number) {
  const times: Record<string, number[]> = { "async-teardown wait": [], "wait()": [] };

  let runs = 0;

  for (const run of turns(20, deadline)) {
    runs = run + 1;
    note(`wait, round ${runs}`);
    for (const way of Object.keys(times)) {
      const [pid, helper] = await startOrphan(protecting, hog);
      const over =
        way === "wait()"
          ? wait(pid)
          : once(spawn(launcher, ["wait", String(pid)], { stdio: "ignore" }), "exit");

      await sleep(300);
      const start = performance.now();
      process.kill(helper, "SIGKILL");
      await over;
      times[way]?.push((performance.now() - start) / 1000);
    }
  }
  const [pid, helper] = await startOrphan(protecting, hog);
  const waiting = spawn(launcher, ["wait", String(pid)], { stdio: "ignore" });
  await sleep(1000);
  const before = cpuSeconds(waiting.pid as number);
  await sleep(10_000);
  const share = (cpuSeconds(waiting.pid as number) - before) / 10;
  process.kill(helper, "SIGKILL");

  note("");
  show(
    `From the end of the last process that had the memory to the word of it; ${runs} runs`,
    ["", "median", "worst"],
    Object.entries(times).map(([name, each]) => [name, ms(median(each)), ms(worst(each))]),
  );
  console.log(`CPU that \`wait\` takes while it waits: ${(share * 100).toFixed(2)} % of a core, over 10 s`);
}

/** Whether a process is dead; a slow init may leave it there for a while. */
function isDead(pid: number): boolean {
  try {
    return / \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}

/** Lets a helper run a fifth of the time only; gives the time of its end, about. */
async function throttle(helper: number): Promise<number> {
  while (!isDead(helper)) {
    process.kill(helper, "SIGSTOP");
    await sleep(16);
    process.kill(helper, "SIGCONT");
    for (let left = 4; left > 0 && !isDead(helper); left--) await sleep(1);
  }
  return performance.now();
}

/** How true a watch of a slow teardown is. */
async function benchWatch(protecting: readonly string[], hog: string, bytes: number, deadline: number) {
  const rows: string[][] = [];

  for (const run of turns(3, deadline)) {
    note(`watch, round ${run + 1}`);
    const target = spawn("env", [...protecting, hog, String(bytes), "stay"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const pid = target.pid as number;

    await once(target.stdout, "data");
    const helper = (await list()).addressSpaces.find((each) => each.target === pid)?.protectors[0]
      ?.pid as number;
    let end = 0;
    target.kill("SIGKILL");
    const throttled = throttle(helper).then((time) => {
      end = time;
    });
    const steps: { at: number; freed: number; remaining: number }[] = [];
    for await (const { state, freedBytes, remainingSeconds } of watch(pid, { interval: 50 }))
      if (state === "releasing" || state === "ended")
        steps.push({
          at: performance.now(),
          freed: freedBytes ?? -1,
          remaining: (remainingSeconds ?? 0) * 1000,
        });
    const last = steps.at(-1)?.at ?? 0;
    await throttled;

    const first = steps[0]?.at ?? 0;
    const late = steps.slice(0, -1).filter(({ at }) => at > (first + last) / 2 && last - at > 100);
    const errors = late.map(({ at, remaining }) => Math.abs(remaining - (last - at)) / (last - at));
    rows.push([
      ms((last - first) / 1000),
      String(steps.length),
      steps.every(({ freed }, index) => freed >= (steps[index - 1]?.freed ?? 0)) ? "yes" : "no",
      `${(median(errors) * 100).toFixed(0)} %`,
      `${(worst(errors) * 100).toFixed(0)} %`,
      ms(Math.abs(last - end) / 1000),
    ]);
  }
  note("");
  show(
    `A throttled teardown of ${sizeText(bytes)}, watched; the estimates of its second half, but its last 100 ms`,
    ["time", "steps", "one way", "estimate wrong by", "worst", "last step from the end"],
    rows,
  );
}

export async function benchLook(
  launcher: string,
  protecting: readonly string[],
  hog: string,
  deadline: number,
): Promise<void> {
  const now = performance.now();

  await benchPs(launcher, protecting, now + (deadline - now) / 2);
  await benchWait(launcher, protecting, hog, now + ((deadline - now) * 3) / 4);
  await benchWatch(protecting, hog, Math.min(2 * GiB, fillable()), deadline);
}
