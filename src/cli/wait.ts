import { Command } from "commander";
import { AsyncTeardownError } from "../errors.js";
import type { HugePageRequest } from "../memory/request.js";
import { print } from "./output.js";
import { collectPid } from "./pids.js";
import type { TimeLimit } from "./time-limit.js";
import { parseDuration, parseHugePages, parseSize } from "./units.js";

interface WaitOptions {
  memory?: number;
  hugepages?: HugePageRequest[];
  cgroup?: string;
  timeout?: number;
  json?: boolean;
}

const examples = `
Examples:
  async-teardown wait 4711
  kill 4711 && async-teardown wait --timeout 30s 4711 && ./start-the-next-one
  async-teardown wait --memory 64G && qemu-system-x86_64 -m 63G disk.img
  async-teardown wait --memory 8G --cgroup /machine.slice
  async-teardown wait --hugepages 2M:512 --hugepages 1G:4@1

Memory can be had when the host has it without swapping, and the limits of the cgroup and of those
above it leave room for it. Where it is lacking, and nobody is giving any back, there is nothing to
wait for: it exits at once.

Exit status:
  0    there is nothing to wait for any more
  1    so much memory cannot be had, and no teardown is under way that would give it back
  124  it took longer than --timeout
  125  it cannot be waited for; a line on standard error says why`;

const collectHugePages = (word: string, before: readonly HugePageRequest[] = []) => [
  ...before,
  parseHugePages(word),
];

async function waitForAll(pids: readonly number[], { timeout = 0, json = false, ...request }: WaitOptions) {
  const isForMemory = request.memory !== undefined || request.hugepages !== undefined;

  if (pids.length === 0 && !isForMemory)
    throw new AsyncTeardownError("ERR_USAGE", "'wait' has nothing to wait for", {
      advice: "give a PID, --memory or --hugepages",
    });
  const { waitForPids } = await import("./wait-pids.js");
  const { reportMemoryWait } = await import("./wait-memory.js");
  const limit: TimeLimit = {
    seconds: timeout / 1000,
    signal: timeout > 0 ? AbortSignal.timeout(timeout) : undefined,
  };

  const processes = await waitForPids(pids, limit, json);
  const memory = isForMemory
    ? await reportMemoryWait(
        { bytes: request.memory, hugePages: request.hugepages, cgroup: request.cgroup },
        limit,
        json,
      )
    : null;
  if (json) print(`${JSON.stringify({ processes, memory }, null, 2)}\n`);
}

export function waitCommand(): Command {
  return new Command("wait")
    .summary("wait until the memory of a process is back, or so much can be had")
    .description(
      "Waits until the address space of each process is wholly gone: the process has exited, and its " +
        "teardown is finished. Then, if it is asked for, until so much memory can really be had.",
    )
    .argument(
      "[pid...]",
      "the processes; one that does not exist, and whose memory nobody keeps, is gone",
      collectPid,
    )
    .option("--memory <size>", "until so much memory is available, as in 64G or 512M", parseSize)
    .option(
      "--hugepages <size:count[@node]>",
      "until so many huge pages of that size are free, on that NUMA node; may be repeated",
      collectHugePages,
    )
    .option("--cgroup <path>", "the cgroup that will use the memory (default: the caller's)")
    .option("--timeout <time>", "give up after that time, as in 30s, 500ms or 5m; exits 124", parseDuration)
    .option("--json", "tell what came of it as JSON")
    .addHelpText("after", examples)
    .action(async (pids: number[], options: WaitOptions) => waitForAll(pids, options));
}
