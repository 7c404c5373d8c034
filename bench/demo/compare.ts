import { readFile } from "node:fs/promises";
import { styled } from "#dist/cli/style.js";
import { formatBytes } from "#dist/format.js";
import { areStable } from "../rounds.js";
import { median } from "../units.js";
import { type Absentee, type Contender, isHere, type Load } from "./load.js";
import { type Measurement, measure } from "./measure.js";
import { pageBytes } from "./probes.js";
import { type Row, tableOf } from "./table.js";

const [leastRounds, mostRounds] = [3, 9];

function rowOf(contender: Contender | Absentee, measurements: readonly Measurement[]): Row {
  if (!isHere(contender)) return { name: contender.name, result: contender.reason };
  return {
    name: contender.name,
    result: {
      exit: median(measurements.map(({ exit }) => exit)),
      back: median(measurements.map(({ back }) => back)),
    },
  };
}

async function pagesText(measurements: readonly Measurement[]): Promise<string> {
  const share = median(measurements.map(({ shareOfHugePages }) => shareOfHugePages));
  const percent = Math.round(share * 100);
  const small = formatBytes(pageBytes);
  if (percent === 0) return `${small} pages`;
  const huge = formatBytes(
    Number(await readFile("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "utf8")),
  );

  return percent === 100 ? `${huge} pages` : `${huge} pages for ${percent} % of it, ${small} for the rest`;
}

/**
 * Runs every contender, in turn, and shows what came of it.
 * @param minutes how long it may take; one round is run in any case
 */
export async function compare({ subject, contenders }: Load, bytes: number, minutes: number): Promise<void> {
  const labelWidth = Math.max(...contenders.map(({ name }) => name.length));
  const measurements = new Map<Contender, Measurement[]>(contenders.filter(isHere).map((each) => [each, []]));
  const deadline = performance.now() + minutes * 60_000;
  const isEnough = (rounds: number) =>
    rounds >= leastRounds && areStable([...measurements.values()].map((all) => all.map(({ exit }) => exit)));
  let rounds = 0;
  let longest = 0;

  console.log(`${styled("bold", `The exit of ${subject} that holds ${formatBytes(bytes)}`)}\n`);
  do {
    const start = performance.now();
    for (const [contender, all] of measurements)
      all.push(await measure(contender, bytes, contender.name.padEnd(labelWidth)));
    longest = Math.max(longest, performance.now() - start);
    rounds++;
  } while (rounds < mostRounds && performance.now() + longest < deadline && !isEnough(rounds));

  const rows = contenders.map((each) => rowOf(each, isHere(each) ? (measurements.get(each) ?? []) : []));
  const pages = await pagesText([...measurements.values()].flat());

  console.log(`
${tableOf(rows)}

${formatBytes(bytes)} in ${pages}; ${rounds === 1 ? "one round" : `medians of ${rounds} rounds`}.
From SIGKILL to the parent's "exit" event in Node.js, which comes up to a millisecond after waitpid(2) would
return, and until all the memory is free.`);
}
