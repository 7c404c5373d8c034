import { readFile } from "node:fs/promises";
import { bytesText, pageText } from "./format.js";
import { type Absentee, type Contender, isHere, type Load } from "./load.js";
import { type Measurement, measure } from "./measure.js";
import { pageBytes } from "./probes.js";
import { styled } from "./style.js";
import { type Row, tableOf } from "./table.js";
import { GiB } from "./units.js";

const runsOfSmall = 3;

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

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
  const small = pageText(pageBytes);
  if (percent === 0) return `${small} pages`;
  const huge = pageText(Number(await readFile("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "utf8")));

  return percent === 100 ? `${huge} pages` : `${huge} pages for ${percent} % of it, ${small} for the rest`;
}

/** Runs every contender, in turn, and shows what came of it. */
export async function compare({ subject, contenders }: Load, bytes: number): Promise<void> {
  const runs = bytes <= GiB ? runsOfSmall : 1;
  const labelWidth = Math.max(...contenders.map(({ name }) => name.length));
  const measurements = new Map<Contender | Absentee, Measurement[]>(contenders.map((each) => [each, []]));

  console.log(`${styled("bold", `The exit of ${subject} that holds ${bytesText(bytes)}`)}\n`);
  for (let run = 0; run < runs; run++)
    for (const contender of contenders.filter(isHere))
      measurements.get(contender)?.push(await measure(contender, bytes, contender.name.padEnd(labelWidth)));

  const rows = contenders.map((contender) => rowOf(contender, measurements.get(contender) ?? []));
  const pages = await pagesText([...measurements.values()].flat());

  console.log(`
${tableOf(rows)}

${bytesText(bytes)} in ${pages}${runs > 1 ? `; medians of ${runs} runs` : ""}.
From SIGKILL to the parent's "exit" event, and until all the memory is free.`);
}
