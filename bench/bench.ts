/*
 * What protection costs and gains, against the unprotected case in the same run: `npm run bench`.
 * Everything is interleaved, so that a machine that gets slower does so for all alike.
 */
import { availableParallelism, release } from "node:os";
import { Command } from "commander";
import { benchAttach, benchCrowd } from "./attach.js";
import { benchExit, benchFallbacks, benchStart, benchWaysToDie, hog } from "./exits.js";
import { benchRate, benchSteady } from "./gently.js";
import { benchLook } from "./look.js";
import { parseMinutes } from "./minutes.js";
import { benchRedis } from "./neighbour.js";
import { compile, launcher, protecting } from "./programs.js";
import { benchKinds, benchQemu, benchQemuPair, benchSizes } from "./release.js";

interface Part {
  /** What --only calls it, where a section has several. */
  readonly name?: string;
  /** Its share of the time, among those that are run. */
  readonly share: number;
  readonly needsRoot?: true;
  /** Until performance.now() is so much. */
  readonly run: (deadline: number) => Promise<void>;
}

const sections: Readonly<Record<string, readonly Part[]>> = {
  start: [{ share: 1, run: benchStart }],
  exit: [{ share: 5, run: benchExit }],
  attach: [
    { share: 2, needsRoot: true, run: (deadline) => benchAttach(launcher, hog, deadline) },
    {
      share: 3,
      needsRoot: true,
      run: (deadline) => benchCrowd(compile("bench/crowd.c"), launcher, hog, deadline),
    },
  ],
  look: [{ share: 4, run: (deadline) => benchLook(launcher, protecting(), hog, deadline) }],
  ways: [{ share: 2, run: benchWaysToDie }],
  fallbacks: [{ share: 1, run: benchFallbacks }],
  release: [
    { name: "kinds", share: 4, run: benchKinds },
    { name: "sizes", share: 5, run: benchSizes },
    { name: "pair", share: 2, run: benchQemuPair },
    { name: "qemu", share: 6, run: benchQemu },
    { name: "redis", share: 3, run: benchRedis },
    { name: "rate", share: 2, run: benchRate },
    { name: "steady", share: 1, run: benchSteady },
  ],
};

const partNames = Object.values(sections).flatMap((parts) => parts.flatMap(({ name }) => name ?? []));

const examples = `
Sections: ${Object.keys(sections).join(", ")}; all of them by default.
Parts of "release": ${partNames.join(", ")}.

Examples:
  npm run bench                                a bit of everything, in ten minutes
  npm run bench -- release                     how the memory comes back, in ten minutes
  npm run bench -- release --only qemu         how a QEMU ends, in ten minutes
  npm run bench -- exit start --minutes 3      two sections, in three minutes`;

async function bench(
  names: string[],
  { minutes, only }: { minutes: number; only?: string },
  program: Command,
): Promise<void> {
  const wrong = names.find((name) => !(name in sections));
  if (wrong !== undefined) program.error(`error: there is no section "${wrong}"; see --help`);
  const isRoot = process.getuid?.() === 0;
  const asked = (names.length ? names : Object.keys(sections)).flatMap((name) => sections[name] ?? []);
  const all = only === undefined ? asked : asked.filter(({ name }) => name === only);
  if (!all.length) program.error(`error: there is no part "${only}"; see --help`);
  let parts = all.filter(({ needsRoot }) => isRoot || !needsRoot);
  const end = performance.now() + minutes * 60_000;

  console.log(`Linux ${release()}, Node.js ${process.versions.node}, ${availableParallelism()} CPUs`);
  if (parts.length < all.length) console.log("not measured: attach, which needs root");
  while (parts.length) {
    const [part, ...others] = parts;
    const shares = parts.reduce((sum, { share }) => sum + share, 0);

    // What one part leaves of its time is for the others.
    await part?.run(performance.now() + ((end - performance.now()) * (part?.share ?? 0)) / shares);
    parts = others;
  }
}

await new Command("npm run bench --")
  .description("Measures what protection costs and gains. As root it attaches as well.")
  .argument("[section...]", "what is measured")
  .option("--minutes <number>", "how long it may take, about; large sizes get fewer rounds", parseMinutes, 10)
  .option("--only <part>", "one part of a section")
  .addHelpText("after", examples)
  .action(bench)
  .parseAsync();
