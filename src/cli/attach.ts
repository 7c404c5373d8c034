import { Command } from "commander";
import type { Priority } from "../linux/priority.js";
import { findProtectors } from "../linux/protectors.js";
import { attachUnlessIn } from "../protect/attach.js";
import { oldestFirst, sharedByTarget } from "../protect/shared-objects.js";
import { complain } from "./output.js";
import { collectPid, forEachPid } from "./pids.js";
import { priorityOption } from "./release-options.js";

interface AttachCommandOptions {
  cgroup?: string;
  priority: Priority;
  json?: boolean;
}

const examples = `
Examples:
  async-teardown attach 4711
  async-teardown attach $(pidof qemu-system-x86_64)
  async-teardown attach --priority idle --json $(pgrep postgres)
  async-teardown attach --cgroup /system.slice/guards 4711

A holder, a process named cleanup/PID, keeps the memory from outside; the process itself is not
stopped, traced or written to. It needs CAP_SYS_PTRACE. 'detach' undoes it. Not for a process that
lives near its memory limit: its memory is still in use when it is gone (docs/mechanisms.md).

Exit status:
  0    all of them are protected now
  125  some are not; a line on standard error says which, and why`;

export function attachCommand(): Command {
  return new Command("attach")
    .summary("protect processes that run already")
    .description(
      "Protects processes that run already, so that they exit at once, whatever they hold in memory.",
    )
    .argument("<pid...>", "the processes", collectPid)
    .option(
      "--cgroup <same|path>",
      "the cgroup that the holder runs in: the same as the process's, or a path in the cgroup tree " +
        "(default: outside the process's, in one that holders have for themselves)",
    )
    .addOption(priorityOption())
    .option("--json", "tell what came of each as JSON")
    .addHelpText("after", examples)
    .action(async (pids: number[], { json = false, ...options }: AttachCommandOptions) => {
      const findings = await findProtectors();
      const shared = sharedByTarget(oldestFirst(pids));

      await forEachPid(pids, json, async (pid) => {
        const { holderPid, warning } = await attachUnlessIn(findings, pid, {
          ...options,
          sharedObjects: shared.get(pid) ?? [],
        });

        if (warning !== undefined && !json) complain(`process ${pid}: ${warning}`);
        return { sentence: `${pid}: protected by holder ${holderPid}`, fields: { holderPid, warning } };
      });
    });
}
