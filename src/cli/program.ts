import { readFileSync } from "node:fs";
import { Command } from "commander";
import { attachCommand } from "./attach.js";
import { detachCommand } from "./detach.js";
import { doctorCommand } from "./doctor.js";
import { envCommand } from "./env.js";
import { libvirtCommand } from "./libvirt.js";
import { ociHookCommand } from "./oci-hook.js";
import { print, printError, reportFailure } from "./output.js";
import { psCommand } from "./ps.js";
import { runCommand } from "./run.js";
import { systemdCommand } from "./systemd.js";
import { waitCommand } from "./wait.js";

const examples = `
Examples:
  async-teardown run -- redis-server --port 6379
  async-teardown attach $(pidof qemu-system-x86_64)
  async-teardown ps --watch
  async-teardown wait 4711
  async-teardown libvirt enable vm1
  async-teardown doctor
  async-teardown run --help`;

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function program(): Command {
  const main = new Command("async-teardown")
    .description("Lets processes with a huge memory exit at once; their memory is torn down afterwards.")
    .version(version(), "-V, --version")
    .enablePositionalOptions()
    .addHelpText("after", examples);

  // A subcommand that is added, not made by .command(), does not take over how errors end.
  const commands = [
    ...[runCommand(), attachCommand(), detachCommand()],
    ...[psCommand(), waitCommand(), doctorCommand(), envCommand(), systemdCommand(), ociHookCommand()],
    libvirtCommand(),
  ];

  for (const command of [main, ...commands, ...commands.flatMap(({ commands: below }) => below)]) {
    command.exitOverride().configureOutput({
      writeOut: print,
      writeErr: printError,
      outputError: (text, write) =>
        write(`async-teardown: ${text.replace(/\.?\s*$/, "").replaceAll("\n", " ")}; see --help\n`),
    });
  }
  for (const command of commands) main.addCommand(command);
  return main;
}

/** Does what the command line says; the exit code is left in process.exitCode. */
export async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    // Commander has said what it has to say. --help and --version come this way too.
    const { exitCode } = error as { exitCode?: number };
    process.exitCode = exitCode === undefined ? reportFailure(error) : exitCode === 0 ? 0 : 125;
  }
}
