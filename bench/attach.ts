/* What it takes to attach, and what that gains where many processes die at once. */
import { execFileSync, spawn } from "node:child_process";
import { freemem } from "node:os";
import { attach } from "async-teardown";
import { MiB, median, ms, note, show, worst } from "./report.js";

/** Seconds that something takes. */
async function secondsOf(act: () => unknown): Promise<number> {
  const start = performance.now();
  await act();
  return (performance.now() - start) / 1000;
}

export async function benchAttach(launcher: string, hog: string, runs: number): Promise<void> {
  const target = spawn(hog, ["0", "stay"], { stdio: ["pipe", "ignore", "inherit"] });
  const pid = target.pid as number;
  const figures: Record<string, number[]> = { attach: [], detach: [], "attach()": [], "detach()": [] };

  for (let run = 0; run < runs; run++) {
    note(`attach: ${run + 1} of ${runs}`);
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

export function benchCrowd(crowd: string, launcher: string, hog: string, runs: number): void {
  const bytes = Math.min(16 * MiB, Math.floor((freemem() * 0.8) / 200));
  const words = ["200", hog, String(bytes), "stay"];
  const results: Record<string, CrowdTimes[]> = { plain: [], held: [] };

  for (let run = 0; run < runs; run++)
    for (const way of ["plain", "held"]) {
      note(`crowd: ${run + 1} of ${runs}`);
      const env = way === "held" ? { ...process.env, ATTACH: launcher } : process.env;
      results[way]?.push(JSON.parse(String(execFileSync(crowd, words, { env }))) as CrowdTimes);
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
