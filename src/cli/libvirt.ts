import { Command, Option } from "commander";
import { AsyncTeardownError } from "../errors.js";
import type { Change } from "../integrations/libvirt/change.js";
import type { Domain } from "../integrations/libvirt/domains.js";
import type { DomainStatus } from "../integrations/libvirt/status.js";
import { type Via, vias } from "../integrations/libvirt/ways.js";
import { type FailureFields, noteFailure, print } from "./output.js";
import { alignRows } from "./table.js";

interface DomainOptions {
  connect?: string;
  all?: boolean;
  json?: boolean;
}

interface ChangeCommandOptions extends DomainOptions {
  via?: Via;
  dryRun?: boolean;
}

const exitStatus = `
Exit status:
  0    it is so for all of them
  125  it is not for some; a line on standard error says which, and why`;

const enableExamples = `
Examples:
  async-teardown libvirt enable --dry-run vm1
  async-teardown libvirt enable vm1 vm2
  async-teardown libvirt enable --all --via emulator

The way is the first of these that the domain's libvirt and QEMU have, unless --via names one:
  feature      libvirt's own <async-teardown enabled='yes'/> (libvirt 9.6, QEMU 8.0.1)
  commandline  QEMU's option, passed through (QEMU 7.2)
  emulator     our helper: <emulator> becomes qemu-async-teardown (any QEMU)

It counts from the domain's next start on. 'attach' protects what runs already.
${exitStatus}`;

const disableExamples = `
Examples:
  async-teardown libvirt disable vm1
  async-teardown libvirt disable --all --dry-run

The XML is again what it was before 'enable'. It counts from the domain's next start on.
${exitStatus}`;

const statusExamples = `
Examples:
  async-teardown libvirt status
  async-teardown libvirt status vm1 --json

CONFIGURED is what the next start brings; PROTECTED BY is what counts now, "?" where only root may see it.`;

const hookExamples = `
Examples:
  async-teardown libvirt hook install && systemctl reload libvirtd
  async-teardown libvirt hook remove

The hook is the file /etc/libvirt/hooks/qemu.d/async-teardown. It attaches a holder to every domain that starts,
in the background: it neither delays nor fails the start. Hooks that are there are not touched. libvirtd looks
for hooks when it starts and when it is reloaded.`;

function connectionOptions(command: Command): Command {
  return command
    .option("-c, --connect <uri>", "where libvirt is, as virsh has it (default: as virsh)")
    .option("--all", "every domain")
    .option("--json", "tell what came of each as JSON");
}

/** The domains that are meant. */
async function wanted(
  names: readonly string[],
  { connect, all = false }: DomainOptions,
  ofAll: "all" | "persistent",
) {
  if (all === names.length > 0)
    throw new AsyncTeardownError("ERR_USAGE", "domains are named one by one, or all of them by --all", {
      advice: "see --help",
    });
  const { openDomains } = await import("../integrations/libvirt/domains.js");
  const domains = await openDomains({ uri: connect });

  return { find: domains.find, which: all ? domains[ofAll] : [...new Set(names)] };
}

/** What came of one domain: its lines, and the same for machines. */
interface Told {
  readonly lines: string;
  readonly fields: object;
}

/** Does something for each domain, whatever comes of the others, and tells of each. */
async function forEachDomain(
  names: readonly string[],
  options: DomainOptions,
  ofAll: "all" | "persistent",
  act: (domain: Domain) => Promise<Told>,
): Promise<void> {
  const { json = false } = options;
  const results: (object | { domain: string; error: FailureFields })[] = [];
  const { find, which } = await wanted(names, options, ofAll);

  for (const name of which) {
    try {
      const { lines, fields } = await act(await find(name));

      results.push(fields);
      if (!json) print(lines);
    } catch (error) {
      results.push({ domain: name, error: noteFailure(error, json) });
    }
  }
  if (json) print(`${JSON.stringify(results, null, 2)}\n`);
}

function sentenceOf({ domain, isChanged, isActive, configured, difference }: Change): string {
  const by = configured.length === 0 ? "not enabled" : `enabled by ${configured.join(" and ")}`;
  const when = isActive ? ", from its next start on" : "";

  if (!isChanged) return `${domain}: ${by} already\n`;
  if (difference !== undefined) return difference;
  return configured.length === 0 ? `${domain}: disabled${when}\n` : `${domain}: ${by}${when}\n`;
}

const told = (change: Change): Told => ({ lines: sentenceOf(change), fields: change });

const dryRunOption = () => new Option("-n, --dry-run", "only show what would be changed in the XML");

function enableCommand(): Command {
  return connectionOptions(new Command("enable"))
    .summary("have domains protected whenever they start")
    .description("Changes domains so that they are protected whenever they start.")
    .argument("[domain...]", "their names, UUIDs or IDs, as virsh has it")
    .addOption(new Option("--via <way>", "the way to protect them").choices(vias))
    .addOption(dryRunOption())
    .addHelpText("after", enableExamples)
    .action(async (names: string[], { via, dryRun = false, ...options }: ChangeCommandOptions) => {
      const { enableDomain } = await import("../integrations/libvirt/change.js");
      const connection = { uri: options.connect };

      await forEachDomain(names, options, "persistent", async (domain) =>
        told(await enableDomain(connection, domain, { via, dryRun })),
      );
    });
}

function disableCommand(): Command {
  return connectionOptions(new Command("disable"))
    .summary("undo 'enable'")
    .description("Takes the protection out of domains, whoever put it in.")
    .argument("[domain...]", "their names, UUIDs or IDs, as virsh has it")
    .addOption(dryRunOption())
    .addHelpText("after", disableExamples)
    .action(async (names: string[], { dryRun = false, ...options }: ChangeCommandOptions) => {
      const { disableDomain } = await import("../integrations/libvirt/change.js");
      const connection = { uri: options.connect };

      await forEachDomain(names, options, "persistent", async (domain) =>
        told(await disableDomain(connection, domain, { dryRun })),
      );
    });
}

const mechanismNames = { helper: "helper", holder: "holder", qemu: "QEMU's helper" } as const;

function protection({ isActive, protectedBy }: DomainStatus): string {
  if (!isActive) return "-";
  if (protectedBy === null) return "?";
  return protectedBy.map((mechanism) => mechanismNames[mechanism]).join("+") || "nobody";
}

function rowOf(status: DomainStatus): string[] {
  const { domain, configured, isActive, pid } = status;
  const process = isActive ? String(pid ?? "?") : "-";
  return [domain, configured.join("+") || "no", process, protection(status)];
}

const statusHeads = ["DOMAIN", "CONFIGURED", "PID", "PROTECTED BY"];

function statusCommand(): Command {
  return connectionOptions(new Command("status"))
    .summary("show how domains are protected")
    .description("Shows how domains are configured, and who protects those that run; all of them by default.")
    .argument("[domain...]", "their names, UUIDs or IDs, as virsh has it")
    .addHelpText("after", statusExamples)
    .action(async (names: string[], options: DomainOptions) => {
      const { findPidDirectory, statusOf } = await import("../integrations/libvirt/status.js");
      const { findProtectors } = await import("../linux/protectors.js");
      const connection = { uri: options.connect };
      const all = options.all || names.length === 0;
      const findings = await findProtectors();
      const directory = await findPidDirectory(connection);
      const rows: string[][] = [];

      await forEachDomain(names, { ...options, all }, "all", async (domain) => {
        const status = await statusOf(connection, domain, findings, directory);
        rows.push(rowOf(status));
        return { lines: "", fields: status };
      });
      if (!options.json && rows.length > 0)
        print(`${alignRows([statusHeads, ...rows], [false, false, true, false], 2)}\n`);
    });
}

function hookCommand(): Command {
  return new Command("hook")
    .summary("have libvirt attach a holder to whatever starts")
    .description("Installs or removes a hook of libvirt that attaches a holder to every domain that starts.")
    .argument("<action>", "install or remove")
    .addHelpText("after", hookExamples)
    .action(async (action: string) => {
      const { hookFile, installHook, removeHook } = await import("../integrations/libvirt/hook.js");

      if (action === "install") {
        const isNew = await installHook();
        print(isNew ? `${hookFile}: installed; now reload libvirtd\n` : `${hookFile}: installed already\n`);
      } else if (action === "remove") {
        print(`${hookFile}: ${removeHook() ? "removed" : "not installed"}\n`);
      } else {
        throw new AsyncTeardownError("ERR_USAGE", `'${action}' is neither install nor remove`);
      }
    });
}

export function libvirtCommand(): Command {
  const command = new Command("libvirt")
    .summary("have libvirt's domains protected")
    .description("Has the domains of libvirt protected: one by one, or all by a hook.");

  for (const each of [enableCommand(), disableCommand(), statusCommand(), hookCommand()])
    command.addCommand(each);
  return command;
}
