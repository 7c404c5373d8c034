import { Command } from "commander";
import { formatBytes } from "../format.js";
import { disable } from "../integrations/systemd/disable.js";
import { type Enabled, enable } from "../integrations/systemd/enable.js";
import { holdService } from "../integrations/systemd/hold.js";
import { type ServiceStatus, serviceStatus } from "../integrations/systemd/status.js";
import { lineOf } from "./address-spaces.js";
import { print, reportFailure } from "./output.js";

interface SystemdOptions {
  user?: boolean;
  runtime?: boolean;
  now?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  async-teardown systemd enable --now redis-server
  async-teardown systemd enable --dry-run postgresql@.service
  async-teardown systemd status postgresql@15-main
  async-teardown systemd disable redis-server

From its next start on, a protected service stops and restarts at once, whatever it holds in
memory. Holders keep the memory of its processes, in a scope of systemd's own, and give it
back when the service is gone: 'systemctl status teardown.slice' shows them.

Exit status:
  0    done; of 'status': the service is enabled
  1    of 'status': the service is not enabled
  125  nothing was changed; a line on standard error says why`;

/** The words that start this tool, as it was started itself. */
const program = () => [process.execPath, process.argv[1] ?? ""];

const flags = ({ user = false, runtime = false, now = false, dryRun = false }: SystemdOptions) => ({
  isUser: user,
  isRuntime: runtime,
  isNow: now,
  isDryRun: dryRun,
});

function subcommand(name: string, summary: string): Command {
  return new Command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .argument("<service>", "its name, with or without .service; app@.service means all instances")
    .option("--user", "ask your own systemd, not the system's");
}

function changing(name: string, summary: string, now: string): Command {
  return subcommand(name, summary)
    .option("--runtime", "until the next boot only")
    .option("--now", now)
    .option("--dry-run", "change nothing, and say what would be done");
}

function describePlan({ files, commands }: Enabled): string {
  const parts = [
    ...files.map(({ path, text }) => `would write ${path}:\n${text.replace(/^(?=.)/gm, "  ")}`),
    ...commands.map((words) => `would run systemctl ${words.join(" ")}\n`),
  ];
  return parts.join("") || "nothing to do\n";
}

async function enableAction(service: string, options: SystemdOptions): Promise<void> {
  const enabled = await enable(service, flags(options), program());

  if (options.dryRun) print(describePlan(enabled));
  else if (enabled.files.length === 0) print(`${enabled.service}: is enabled already\n`);
  else
    print(
      `${enabled.service}: enabled; ${options.now ? "what runs now is held too" : "from its next start on (--now holds what runs)"}\n`,
    );
}

async function disableAction(word: string, options: SystemdOptions): Promise<void> {
  const { service, files, holders } = await disable(word, flags(options));
  const count = `${holders.length} ${holders.length === 1 ? "process" : "processes"}`;

  if (options.dryRun)
    return void print(files.map((path) => `would remove ${path}\n`).join("") || "nothing to do\n");
  if (files.length === 0) print(`${service}: is not enabled\n`);
  else print(`${service}: disabled\n`);
  if (holders.length > 0)
    print(`${service}: ${count} ${options.now ? "let go" : "held on until their end (--now lets go)"}\n`);
}

function describeStatus(status: ServiceStatus): string {
  const { service, isEnabled, files, processes, residentBytes, releasing } = status;
  const held = processes.filter(({ isHeld }) => isHeld).length;
  const main = processes.find(({ isMain }) => isMain);

  return [
    `${service}: ${isEnabled ? "enabled" : "not enabled"}`,
    ...files.map(({ path, state }) => `  ${path}${state === "other" ? " (changed by somebody else)" : ""}`),
    processes.length === 0
      ? "  does not run"
      : `  ${held} of ${processes.length} processes held, ${formatBytes(residentBytes)} in memory` +
        (main ? `; its main process ${main.pid} is ${main.isHeld ? "held" : "not held"}` : ""),
    ...releasing.map((space) => `  ${lineOf(space)}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

async function statusAction(word: string, { user = false, json = false }: SystemdOptions): Promise<void> {
  const status = await serviceStatus(word, user);

  print(json ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status));
  if (!status.isEnabled) process.exitCode = 1;
}

/** What the hold unit does; its lines go to the journal. */
async function holdAction(service: string, { user = false }: SystemdOptions): Promise<void> {
  const { holds, failures } = await holdService(service, user);

  for (const failure of failures) process.exitCode = reportFailure(failure);
  if (holds.length > 0) print(`${service}: holds ${holds.map(({ pid }) => pid).join(", ")}\n`);
  else if (failures.length === 0) print(`${service}: has no process that is not held already\n`);
}

export function systemdCommand(): Command {
  const command = new Command("systemd")
    .summary("protect the services of systemd")
    .description("Protects services of systemd, so that they stop and restart at once.")
    .addHelpText("after", examples);

  command.addCommand(
    changing("enable", "protect a service at each start", "hold what runs already").action(enableAction),
  );
  command.addCommand(
    changing("disable", "take the protection away", "let go of what runs").action(disableAction),
  );
  command.addCommand(
    subcommand("status", "show whether a service is protected")
      .option("--json", "tell it as JSON")
      .action(statusAction),
  );
  command.addCommand(subcommand("hold", "hold the processes of a service now").action(holdAction), {
    hidden: true,
  });
  return command;
}
