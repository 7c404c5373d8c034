import { Command } from "commander";
import { toText } from "../linux/bytes.js";
import { protectingVariables } from "../protect/preload-variables.js";
import { print } from "./output.js";
import { addReleaseOptions, type ReleaseCommandOptions } from "./release-options.js";

const examples = `
Examples:
  env $(async-teardown env) redis-server
  env $(async-teardown env --priority idle) postgres -D /srv/data
  async-teardown env > /run/protect.env      # EnvironmentFile= of a service

The first process that starts with these variables is protected, and what it execs; its
children are not. A program that is statically linked or set-user-ID ignores them, and its
first child that is neither would be protected in its place: 'run' checks for that, this
cannot.`;

interface EnvOptions extends ReleaseCommandOptions {
  bestEffort?: boolean;
}

export function envCommand(): Command {
  return addReleaseOptions(new Command("env"))
    .summary("print the variables that protect a command, for other supervisors")
    .description("Prints LD_PRELOAD and ASYNC_TEARDOWN, a line each, for supervisors that set variables.")
    .option("--best-effort", "for programs that are to run unprotected where they cannot be protected")
    .addHelpText("after", examples)
    .action((options: EnvOptions) => {
      const variables = protectingVariables(process.env.LD_PRELOAD, options);

      for (const [name, value] of Object.entries(variables)) print(`${name}=${toText(value)}\n`);
    });
}
