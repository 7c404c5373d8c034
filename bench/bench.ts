/*
 * What protection costs and gains, against the unprotected case in the same run: `npm run bench`.
 * Everything is interleaved, so that a machine that gets slower does so for all alike.
 */
import { availableParallelism, release } from "node:os";
import { Command } from "commander";
import { benchAttach, benchCrowd } from "./attach.js";
import { benchExit, benchFallbacks, benchStart, benchWaysToDie, hog } from "./exits.js";
import { benchRate, benchRedis, benchSteady } from "./gently.js";
import { benchLook } from "./look.js";
import { parseMinutes } from "./minutes.js";
import { compile, launcher, protecting } from "./programs.js";
import { benchKinds, benchQemu, benchQemuPair } from "./release.js";

interface Part {
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
    { share: 8, run: benchKinds },
    { share: 2, run: benchQemuPair },
    { share: 6, run: benchQemu },
    { share: 2, run: benchRedis },
    { share: 1, run: benchRate },
    { share: 1, run: benchSteady },
  ],
};

const examples = `
Sections: ${Object.keys(sections).join(", ")}; all of them by default.

Examples:
  npm run bench                                a bit of everything, in ten minutes
  npm run bench -- release                     how the memory comes back, in ten minutes
  npm run bench -- exit start --minutes 3      two sections, in three minutes`;

async function bench(names: string[], { minutes }: { minutes: number }, program: Command): Promise<void> {
  const wrong = names.find((name) => !(name in sections));
  if (wrong !== undefined) program.error(`error: there is no section "${wrong}"; see --help`);
  const isRoot = process.getuid?.() === 0;
  const all = (names.length ? names : Object.keys(sections)).flatMap((name) => sections[name] ?? []);
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
  .addHelpText("after", examples)
  .action(bench)
  .parseAsync();
