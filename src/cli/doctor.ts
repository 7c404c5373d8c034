import { isatty } from "node:tty";
import { Command } from "commander";
import type { Check, Status } from "../doctor/check.js";
import { type Examination, examine } from "../doctor/examine.js";
import { print } from "./output.js";

const examples = `
Examples:
  async-teardown doctor
  async-teardown doctor --json | jq '.checks[] | select(.status == "missing")'
  sudo -u redis async-teardown doctor        # what that user may do

Everything is tried, and undone. It takes a second or two.

Exit status:
  0    'run' works here
  1    it does not; the line 'run' says why
  125  this could not be found out`;

/** Foreground colours, as select graphic rendition has them: green, yellow, red, none. */
const colours: Record<Status, number> = { ok: 32, limited: 33, missing: 31, info: 39 };

function hasColours(): boolean {
  return isatty(1) && process.stdout.hasColors(); // heeds NO_COLOR
}

/** util.styleText would do it from Node.js 20.12 on. */
function coloured(status: Status, text: string): string {
  return `\x1b[${colours[status]}m${text}\x1b[39m`;
}

const longestStatus = "missing".length;

function render({ name, status, found, advice }: Check, nameWidth: number, inColour: boolean): string {
  const word = status.padEnd(longestStatus);
  const line = `${name.padEnd(nameWidth)}  ${inColour ? coloured(status, word) : word}  ${found}\n`;
  const indent = " ".repeat(nameWidth + longestStatus + 4);

  return advice === undefined ? line : `${line}${indent}${advice}\n`;
}

function verdict({ run, attach, checks }: Examination): string {
  const say = (name: string, works: boolean) =>
    works
      ? `\`${name}\` works here`
      : `\`${name}\` does not work here: ${checks.find((check) => check.name === name)?.found}`;

  return `${say("run", run)}; ${say("attach", attach)}\n`;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("say what this machine can do")
    .description("Tries what 'run' and 'attach' depend on, and says what a missing thing would take.")
    .option("--json", "tell it as JSON")
    .addHelpText("after", examples)
    .action(async ({ json = false }: { json?: boolean }) => {
      const examination = await examine();
      const nameWidth = Math.max(...examination.checks.map(({ name }) => name.length));
      const inColour = !json && hasColours();

      if (json) print(`${JSON.stringify(examination, null, 2)}\n`);
      else for (const check of examination.checks) print(render(check, nameWidth, inColour));
      if (!json) print(verdict(examination));
      process.exitCode = examination.run ? 0 : 1;
    });
}
