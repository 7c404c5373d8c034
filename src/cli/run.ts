import { Command } from "commander";
import { AsyncTeardownError } from "../errors.js";
import type { Bytes } from "../linux/bytes.js";
import { ownArguments, ownEnvironment } from "../linux/process.js";
import { protectingVariables } from "../protect/environment.js";
import { checkProtectable } from "../protect/executable.js";
import { resolveCommand, type Surroundings } from "../protect/resolve.js";
import { complain } from "./output.js";
import { deliverPlan, waitingLauncher } from "./plan.js";

interface RunOptions {
  bestEffort?: boolean;
}

const examples = `
Examples:
  async-teardown run -- qemu-system-x86_64 -m 64G -nographic disk.img
  async-teardown run redis-server /etc/redis/redis.conf
  async-teardown run --best-effort -- ./start.sh

The command runs in this very process: same PID, descriptors, signals and limits. A script
that ends in 'exec server' stays protected; the command's children are not.

Exit status:
  125  the command was not started, as it could not be protected
  126  the command was found but cannot be executed
  127  the command was not found
       otherwise the command's own`;

/** Arguments that this process has and its launcher does not: "node main.js" for "async-teardown". */
const argumentsOfNode = 1;

function variable(environment: readonly Bytes[], name: string): Bytes | undefined {
  return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The variables that protect the process, or none where it has to run unprotected. */
function protection(
  pid: number,
  path: Bytes,
  surroundings: Surroundings,
  environment: readonly Bytes[],
  bestEffort: boolean,
): Record<string, Bytes> {
  try {
    checkProtectable(path, surroundings);
    return { ...protectingVariables(variable(environment, "LD_PRELOAD"), { pid, bestEffort }) };
  } catch (error) {
    if (!bestEffort || !(error instanceof AsyncTeardownError)) throw error;
    complain(`${error.message}; it runs unprotected`);
    return {};
  }
}

function run(operands: string[], { bestEffort = false }: RunOptions): void {
  const launcher = waitingLauncher();
  const words = ownArguments();
  const environment = ownEnvironment();
  const surroundings = { path: variable(environment, "PATH") };
  const command = words.length - operands.length;
  const path = resolveCommand(words[command] ?? "", surroundings);
  const variables = protection(launcher.pid, path, surroundings, environment, bestEffort);

  deliverPlan(launcher, { path, commandIndex: command - argumentsOfNode, variables });
}

export function runCommand(): Command {
  return new Command("run")
    .summary("run a command protected, in place")
    .description(
      "Runs a command so that it exits at once, whatever it holds in memory: a helper, made before its " +
        "main function, shares its address space, outlives it, and gives the memory back afterwards.",
    )
    .usage("[--best-effort] [--] COMMAND [ARG...]")
    .argument("<command...>", "what to run, and its arguments")
    .option("--best-effort", "run it unprotected, with a warning, where it cannot be protected")
    .passThroughOptions()
    .addHelpText("after", examples)
    .action(run);
}
