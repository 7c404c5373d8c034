import { Command } from "commander";
import { collectPid } from "./pids.js";
import { parseDuration } from "./units.js";

interface WaitOptions {
  timeout?: number;
  json?: boolean;
}

const examples = `
Examples:
  async-teardown wait 4711
  kill 4711 && async-teardown wait --timeout 30s 4711 && ./start-the-next-one

Exit status:
  0    there is nothing to wait for any more
  124  it took longer than --timeout
  125  it cannot be waited for; a line on standard error says why`;

export function waitCommand(): Command {
  return new Command("wait")
    .summary("wait until the memory of a process is back")
    .description(
      "Waits until the address space of each process is wholly gone: the process has exited, and its " +
        "teardown is finished. A process that does not exist, and whose memory nobody keeps, is gone.",
    )
    .argument("<pid...>", "the processes", collectPid)
    .option("--timeout <time>", "give up after that time, as in 30s, 500ms or 5m; exits 124", parseDuration)
    .option("--json", "tell what came of each as JSON")
    .addHelpText("after", examples)
    .action(async (pids: number[], { timeout = 0, json = false }: WaitOptions) => {
      const { waitForPids } = await import("./wait-pids.js");

      await waitForPids(pids, timeout, json);
    });
}
