/* What it takes to attach, and what that gains where many processes die at once. */
import { execFileSync, spawn } from "node:child_process";
import { attach } from "async-teardown";
import { ms, note, show, worst } from "./report.js";
import { fillable, turns } from "./rounds.js";
import { MiB, median } from "./units.js";

/** Seconds that something takes. */
async function secondsOf(act: () => unknown): Promise<number> {
  const start = performance.now();
  await act();
  return (performance.now() - start) / 1000;
}

export async function benchAttach(launcher: string, hog: string, deadline: number): Promise<void> {
  const target = spawn(hog, ["0", "stay"], { stdio: ["pipe", "ignore", "inherit"] });
  const pid = target.pid as number;
  const figures: Record<string, number[]> = { attach: [], detach: [], "attach()": [], "detach()": [] };

  let runs = 0;

  for (const run of turns(40, deadline)) {
    runs = run + 1;
    note(`attach, round ${runs}`);
    for (const command of ["attach", "detach"])
      figures[command]?.push(await secondsOf(() => execFileSync(launcher, [command, String(pid)])));
    let hold: Awaited<ReturnType<typeof attach>> | undefined;
    figures["attach()"]?.push(
      await secondsOf(async () => {
        hold = await attach(pid);
      }),
    );
    figures["detach()"]?.push(await secondsOf(() => hold?.detach()));
  }
  note("");
  target.kill("SIGKILL");
  show(
    `The whole command, and the function; ${runs} runs`,
    ["", "median", "worst"],
    Object.entries(figures).map(([name, times]) => [name, ms(median(times)), ms(worst(times))]),
  );
}

interface CrowdTimes {
  readonly half: number;
  readonly all: number;
  readonly back: number;
}

export async function benchCrowd(
  crowd: string,
  launcher: string,
  hog: string,
  deadline: number,
): Promise<void> {
  const bytes = Math.min(16 * MiB, Math.floor(fillable() / 200));
  const words = ["200", hog, String(bytes), "stay"];
  const results: Record<string, CrowdTimes[]> = { plain: [], held: [] };

  let runs = 0;

  for (const run of turns(7, deadline)) {
    runs = run + 1;
    for (const way of ["plain", "held"]) {
      note(`crowd, round ${runs}`);
      const env = way === "held" ? { ...process.env, ATTACH: launcher } : process.env;
      results[way]?.push(JSON.parse(String(execFileSync(crowd, words, { env }))) as CrowdTimes);
    }
  }
  note("");
  show(
    `200 processes of ${Math.round(bytes / MiB)} MiB, all killed at once; median of ${runs}`,
    ["", "half known to be dead", "all", "worst", "memory back"],
    Object.entries(results).map(([way, times]) => [
      way,
      ms(median(times.map(({ half }) => half))),
      ms(median(times.map(({ all }) => all))),
      ms(worst(times.map(({ all }) => all))),
      ms(median(times.map(({ back }) => back))),
    ]),
  );
}
