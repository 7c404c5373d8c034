import { Command, Option } from "commander";
import { AsyncTeardownError, errorCodes } from "../errors.js";
import type { Bytes } from "../linux/bytes.js";
import { ownArguments, ownEnvironment } from "../linux/process.js";
import { findProtectors, holdersOf, nothingFound } from "../linux/protectors.js";
import { attachUnlessIn } from "../protect/attach.js";
import { protectingVariables } from "../protect/environment.js";
import { checkProtectable } from "../protect/executable.js";
import { resolveCommand, type Surroundings } from "../protect/resolve.js";
import { complain } from "./output.js";
import { deliverPlan, waitingLauncher } from "./plan.js";
import { addReleaseOptions, type ReleaseCommandOptions } from "./release-options.js";

const mechanisms = ["auto", "helper", "holder", "both"] as const;

type Mechanism = (typeof mechanisms)[number];

interface RunOptions extends ReleaseCommandOptions {
  mechanism: Mechanism;
  bestEffort?: boolean;
}

const examples = `
Examples:
  async-teardown run -- qemu-system-x86_64 -m 64G -nographic disk.img
  async-teardown run redis-server /etc/redis/redis.conf
  async-teardown run --best-effort -- ./start.sh
  async-teardown run --mechanism both -- /usr/sbin/mysqld
  async-teardown run --rate 2G --priority idle -- java -Xmx64g -jar server.jar

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

type Variables = Readonly<Record<string, Bytes>>;

/** A way to protect what becomes the command; gives the variables that this takes. */
type Part = (
  pid: number,
  path: Bytes,
  surroundings: Surroundings,
  inherited: Bytes | undefined,
) => Promise<Variables>;

type Wishes = Omit<RunOptions, "mechanism">;

function byHelper(wishes: Wishes): Part {
  return async (pid, path, surroundings, inherited) => {
    checkProtectable(path, surroundings);
    return { ...protectingVariables(inherited, { pid, ...wishes }) };
  };
}

/** The holder is attached before the exec, and follows it; a helper of this process ends with the exec. */
function byHolder({ priority }: Wishes): Part {
  return async (pid) => {
    const findings = await findProtectors();
    const isHeld = holdersOf(findings, pid).some(({ isTargetGone }) => !isTargetGone);

    if (!isHeld) {
      const { warning } = await attachUnlessIn(nothingFound, pid, { priority });
      if (warning !== undefined) complain(warning);
    }
    return {};
  };
}

const noRate = "a holder gives all back in one go, at no rate";

function byEither(wishes: Wishes): Part {
  return async (...details) => {
    try {
      return await byHelper(wishes)(...details);
    } catch (refusal) {
      if (!(refusal instanceof AsyncTeardownError) || errorCodes[refusal.code].exitCode !== 125)
        throw refusal;
      if (wishes.rate !== undefined)
        throw new AsyncTeardownError(refusal.code, `${refusal.message}; nor by a holder, as ${noRate}`, {
          advice: refusal.advice,
        });
      return byHolder(wishes)(...details).catch((error: AsyncTeardownError) => {
        throw new AsyncTeardownError(
          refusal.code,
          `${refusal.message}; nor by a holder, as ${error.message}`,
          {
            advice: refusal.advice,
            cause: error,
          },
        );
      });
    }
  };
}

function partsOf({ mechanism, ...wishes }: RunOptions): Part[] {
  switch (mechanism) {
    case "helper":
      return [byHelper(wishes)];
    case "holder":
      if (wishes.rate !== undefined)
        throw new AsyncTeardownError("ERR_USAGE", `--rate takes a helper: ${noRate}`);
      return [byHolder(wishes)];
    case "both":
      return [byHelper(wishes), byHolder(wishes)];
    case "auto":
      return [byEither(wishes)];
  }
}

/** Protects by each part; with best effort, a part that fails is left out with a word. */
async function protect(
  parts: readonly Part[],
  bestEffort: boolean,
  ...details: Parameters<Part>
): Promise<Variables> {
  const variables = {};

  for (const part of parts) {
    try {
      Object.assign(variables, await part(...details));
    } catch (error) {
      if (!bestEffort || !(error instanceof AsyncTeardownError)) throw error;
      complain(`${error.message}; it runs ${parts.length === 1 ? "unprotected" : "without that"}`);
    }
  }
  return variables;
}

async function run(operands: string[], options: RunOptions): Promise<void> {
  const { bestEffort = false } = options;
  const launcher = waitingLauncher();
  const words = ownArguments();
  const environment = ownEnvironment();
  const surroundings = { path: variable(environment, "PATH") };
  const command = words.length - operands.length;
  const path = resolveCommand(words[command] ?? "", surroundings);
  const parts = partsOf(options);
  const inherited = variable(environment, "LD_PRELOAD");
  const variables = await protect(parts, bestEffort, launcher.pid, path, surroundings, inherited);

  deliverPlan(launcher, { path, commandIndex: command - argumentsOfNode, variables });
}

export function runCommand(): Command {
  return addReleaseOptions(new Command("run"))
    .summary("run a command protected, in place")
    .description(
      "Runs a command so that it exits at once, whatever it holds in memory: a helper, made before its " +
        "main function, shares its address space, outlives it, and gives the memory back afterwards; or a " +
        "holder does so from outside.",
    )
    .usage("[OPTION...] [--] COMMAND [ARG...]")
    .argument("<command...>", "what to run, and its arguments")
    .addOption(
      new Option(
        "--mechanism <mechanism>",
        "what protects it: a helper from inside, a holder from outside (takes CAP_SYS_PTRACE), both, or the " +
          "helper where it can and else the holder",
      )
        .choices(mechanisms)
        .default("auto"),
    )
    .option("--best-effort", "run it unprotected, with a warning, where it cannot be protected")
    .passThroughOptions()
    .addHelpText("after", examples)
    .action(run);
}
