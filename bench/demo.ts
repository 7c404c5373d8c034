import { AsyncTeardownError } from "async-teardown";
import { Command } from "commander";
import { cleanUpAtEnd } from "./demo/cleanup.js";
import { compare } from "./demo/compare.js";
import { DemoError } from "./demo/error.js";
import { nodeLoad } from "./demo/node.js";
import { restoreTerminal } from "./demo/progress.js";
import { qemuLoad } from "./demo/qemu.js";
import { parseHeldSize, sizeToHold } from "./demo/size.js";
import { parseMinutes } from "./minutes.js";

interface Options {
  size?: number;
  qemu?: true;
  minutes: number;
}

const examples = `
Examples:
  npm run demo                       a Node.js process
  npm run demo -- --size 2G          the same, smaller
  npm run demo -- --minutes 0.1      one or two rounds
  npm run demo -- --qemu --size 4G   a QEMU, also with its own -async-teardown`;

async function demo({ size, qemu, minutes }: Options): Promise<void> {
  const load = qemu ? await qemuLoad() : nodeLoad();

  await compare(load, await sizeToHold(size), minutes);
}

const program = new Command("npm run demo --")
  .description(
    "Starts a process with a huge memory, kills it, and measures how long its exit takes: " +
      "plain, and protected by async-teardown.",
  )
  .option(
    "--size <size>",
    "how much it holds, as in 512M or 2G (default: a third of free memory, at most 8G)",
    parseHeldSize,
  )
  .option("--qemu", "do it with a QEMU of that size rather than a Node.js process")
  .option(
    "--minutes <number>",
    "how long it may take, about: it measures in rounds until the time is used up, or the medians are stable",
    parseMinutes,
    2,
  )
  .addHelpText("after", examples)
  .action(demo);

cleanUpAtEnd();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof DemoError || error instanceof AsyncTeardownError)) throw error;
  restoreTerminal(); // before the message, not behind it
  program.error(`error: ${error.message}`);
}
