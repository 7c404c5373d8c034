import { Command } from "commander";
import { findProtectors } from "../linux/protectors.js";
import { detachFrom } from "../protect/detach.js";
import { collectPid, forEachPid } from "./pids.js";

const examples = `
Examples:
  async-teardown detach 4711
  async-teardown detach $(pidof qemu-system-x86_64)

Exit status:
  0    none of them is held any more
  125  some were not held, or could not be let go; a line on standard error says which, and why`;

export function detachCommand(): Command {
  return new Command("detach")
    .summary("undo 'attach'")
    .description("Takes the protection away that 'attach' gave; the processes themselves are not touched.")
    .argument("<pid...>", "the processes", collectPid)
    .option("--json", "tell what came of each as JSON")
    .addHelpText("after", examples)
    .action(async (pids: number[], { json = false }: { json?: boolean }) => {
      const findings = await findProtectors();

      await forEachPid(pids, json, async (pid) => {
        await detachFrom(findings, pid);
        return { sentence: `${pid}: not held any more`, fields: { detached: true } };
      });
    });
}
