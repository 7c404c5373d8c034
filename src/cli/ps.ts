import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { formatBytes } from "../format.js";
import { type Listing, list } from "../teardown/list.js";
import { complain, print } from "./output.js";

interface PsOptions {
  watch?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  async-teardown ps
  async-teardown ps --watch
  async-teardown ps --json | jq '.addressSpaces[] | select(.state == "releasing")'

One row an address space that somebody keeps. STATE is one of
  protected    its target lives
  releasing    its target is dead, and the memory is being given back
  target gone  its target is dead, and nobody has begun to give the memory back
  waiting      its target lives, but the holder could not hold its new image yet

SHARED is what of it others may have as well: files and shared memory. Where several processes of a
unit or container are held, a line below the table has their sum, in which that is counted once.
HELD is what is in memory now; ≤ where only the size at the target's death is known, because the kernel
shows nothing of an address space that a holder or QEMU's own helper gives back.`;

/** A look takes longer on a machine with more processes; it is to take a tenth of one CPU at most. */
const share = 10;

/** Milliseconds between two looks. */
const step = 500;

/** Looks again and again, for as long as this process lives. */
async function* listings(): AsyncGenerator<Listing, never> {
  for (;;) {
    const start = performance.now();
    yield await list();
    await sleep(Math.max(step, (performance.now() - start) * share));
  }
}

const mostClaims = 5;

/** What is not in the table. */
function notice({ hidden, unconfirmed, hidesOthers }: Listing): string | undefined {
  if (hidesOthers) return "the processes of other users are not shown, as /proc hides them (hidepid)";
  if (hidden === 0) return undefined;
  const more = `${hidden} more ${hidden === 1 ? "looks" : "look"} like a protector of another user's process`;

  if (process.getuid?.() !== 0) return `${more}; root may see`;
  const claims = unconfirmed
    .slice(0, mostClaims)
    .map(({ pid, target, heldBytes }) => `${pid} of ${target}, ${formatBytes(heldBytes ?? 0)} held`);
  return `${more}, and nothing confirms it (${[...claims, ...(hidden > claims.length ? ["…"] : [])].join("; ")})`;
}

const json = (listing: Listing, indent?: number) => `${JSON.stringify(listing, null, indent)}\n`;

async function showOnce(): Promise<void> {
  const { renderListing } = await import("./listing.js");
  const listing = await list();
  const missing = notice(listing);

  print(`${renderListing(listing)}\n`);
  if (missing !== undefined) complain(missing);
}

async function watchOnTerminal(): Promise<void> {
  const [{ renderMoving }, { default: logUpdate }] = await Promise.all([
    import("./listing.js"),
    import("log-update"),
  ]);

  for await (const listing of listings()) logUpdate(renderMoving(listing, notice(listing)));
}

/** For a pipe or a file: a line where something begins, goes on for a while, or ends. */
async function watchOnPipe(): Promise<void> {
  const { changesOf } = await import("./listing.js");
  const changes = changesOf();

  for await (const listing of listings()) {
    const lines = changes(listing).map((line) => `${line}\n`);
    if (!lines.every(print)) return; // nobody reads it any more
  }
}

async function watchForMachines(): Promise<void> {
  for await (const listing of listings()) if (!print(json(listing))) return;
}

async function watchAll(isJson: boolean): Promise<void> {
  const { isInteractive } = await import("./style.js");

  if (isJson) await watchForMachines();
  else if (isInteractive) await watchOnTerminal();
  else await watchOnPipe();
}

export function psCommand(): Command {
  return new Command("ps")
    .summary("show who is protected, and how far teardowns are")
    .description("Shows every address space that is protected, or being torn down behind its target.")
    .option("-w, --watch", "show it again and again, until Ctrl-C")
    .option("--json", "tell it as JSON; with --watch, an object a line")
    .addHelpText("after", examples)
    .action(async ({ watch = false, json: isJson = false }: PsOptions) => {
      if (watch) await watchAll(isJson);
      else if (isJson) print(json(await list(), 2));
      else await showOnce();
    });
}
