import { Command } from "commander";
import { AsyncTeardownError } from "../errors.js";

/** `run` is all in the launcher, native/launcher/; here it is a line of the help. */
export function runCommand(): Command {
  return new Command("run")
    .summary("run a command protected, in place")
    .argument("<command...>", "what to run, and its arguments")
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      throw new AsyncTeardownError("ERR_USAGE", "'run' works through the launcher only", {
        advice: "call async-teardown rather than its JavaScript",
      });
    });
}
