import { Command } from "commander";
import { holdContainer, mayHold, readState } from "../integrations/oci/hook.js";
import { complain, reportFailure } from "./output.js";
import { parseSize } from "./units.js";

interface HookOptions {
  above?: number;
  required?: boolean;
}

const examples = `
Examples:
  runc state NAME | async-teardown oci-hook       what a runtime does at poststart
  "hooks": {"poststart": [{"path": "/usr/local/bin/async-teardown",
                           "args": ["async-teardown", "oci-hook"]}]}    in a bundle's config.json

packaging/oci has a hooks.d file for Podman and CRI-O, which does not delay a container's start.

Exit status:
  0    the init is held, or could not be: a line on standard error says so
  125  with --required: it could not be held`;

async function act({ above = 0, required = false }: HookOptions): Promise<void> {
  try {
    const state = readState();

    if (!mayHold(state, above)) return complain(`container ${state.id}: not held, its memory limit is lower`);
    const { holderPid, warning } = await holdContainer(state);
    complain(
      `container ${state.id}: its init ${state.pid} is held by ${holderPid}${warning ? `; ${warning}` : ""}`,
    );
  } catch (error) {
    const exitCode = reportFailure(error);
    if (required) process.exitCode = exitCode;
  }
}

export function ociHookCommand(): Command {
  return new Command("oci-hook")
    .summary("protect a container, as a hook of its runtime")
    .description(
      "Holds the init of a container from outside, so that the container ends at once. Reads the container's " +
        "state from standard input, as OCI runtimes write it for a poststart or createRuntime hook.",
    )
    .option("--above <size>", "leave containers alone whose memory limit is lower, as 8G", parseSize)
    .option("--required", "fail where the init cannot be held; the runtime then ends the container")
    .addHelpText("after", examples)
    .action(act);
}
