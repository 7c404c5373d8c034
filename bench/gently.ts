/* How a helper keeps to a rate, and leaves its target alone. */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { compile, protecting } from "./programs.js";
import { ms, note, show, sizeText, times } from "./report.js";
import { fillable, turns } from "./rounds.js";
import { helperOf, isDead, numberIn, startKinds, statusOf } from "./target.js";
import { MiB, median } from "./units.js";

export async function benchRate(deadline: number): Promise<void> {
  const rows: string[][] = [];

  for (const rate of [256 * MiB, 512 * MiB]) {
    const bytes = 4 * rate;
    if (bytes > fillable() || (rows.length && performance.now() > deadline)) {
      console.log(`not measured: a rate of ${sizeText(rate)} a second`);
      continue;
    }
    note(`a rate of ${sizeText(rate)} a second`);
    const target = await startKinds(bytes, protecting(`/rate:${rate}`));
    const helper = await helperOf(target.pid as number);
    const looks: { at: number; left: number }[] = [];

    target.kill("SIGKILL");
    while (!isDead(helper)) {
      looks.push({ at: performance.now() / 1000, left: numberIn(statusOf(helper), "RssAnon") * 1024 });
      await sleep(10);
    }
    const within = looks.filter(({ left }) => left < bytes && left > bytes / 50);
    const seconds = within.flatMap(({ at, left }) => {
      const later = within.find((other) => other.at >= at + 1);
      return later ? [(left - later.left) / (later.at - at) / rate] : [];
    });
    const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
    rows.push([sizeText(rate), String(seconds.length), times(least), times(most)]);
  }
  note("");
  show("A rate, over any second", ["a second", "seconds looked at", "least", "most"], rows);
}

export async function benchSteady(deadline: number): Promise<void> {
  const chase = compile("bench/chase.c");
  const results: Record<string, number[]> = { plain: [], protected: [] };
  const target = await startKinds(MiB, protecting());
  const helper = await helperOf(target.pid as number);
  const switches = () => {
    const status = statusOf(helper);
    return numberIn(status, "voluntary_ctxt_switches") + numberIn(status, "nonvoluntary_ctxt_switches");
  };
  const [before, since] = [switches(), performance.now()];
  const run = (prefix: readonly string[]) =>
    (
      JSON.parse(String(execFileSync("env", [...prefix, chase, String(128 * MiB), "5000000"]))) as {
        seconds: number;
      }
    ).seconds;

  for (const round of turns(20, deadline)) {
    note(`steady state, round ${round + 1}`);
    results.plain?.push(run([]));
    results.protected?.push(run(protecting()));
  }
  await sleep(Math.max(0, 10_000 - (performance.now() - since)));
  const [after, seconds] = [switches(), Math.round((performance.now() - since) / 1000)];
  target.kill("SIGKILL");
  note("");
  const [plain, guarded] = [median(results.plain ?? []), median(results.protected ?? [])];

  show(
    `5,000,000 dependent reads in 128 MiB; median of ${results.plain?.length}`,
    ["plain", "protected", "of plain", `context switches of a helper, in ${seconds} s`],
    [[ms(plain), ms(guarded), times(guarded / plain), String(after - before)]],
  );
}
