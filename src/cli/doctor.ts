import { Command } from "commander";
import type { Check, Status } from "../doctor/check.js";
import type { Examination } from "../doctor/examine.js";
import { print } from "./output.js";
import { type Style, styled } from "./style.js";

const examples = `
Examples:
  async-teardown doctor
  async-teardown doctor --json | jq '.checks[] | select(.status == "missing")'
  sudo -u redis async-teardown doctor        # what that user may do

Everything is tried, and undone. It needs a second or two.

Exit status:
  0    'run' works here
  1    it does not; the line 'run' says why
  125  this could not be found out`;

const styles: Record<Status, Style> = { ok: "green", limited: "yellow", missing: "red", info: "reset" };

const longestStatus = "missing".length;

function render({ name, status, found, advice }: Check, nameWidth: number): string {
  const word = styled(styles[status], status.padEnd(longestStatus));
  const line = `${name.padEnd(nameWidth)}  ${word}  ${found}\n`;
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
    .description("Tries what 'run' and 'attach' need, and says what to do about what is missing.")
    .option("--json", "tell it as JSON")
    .addHelpText("after", examples)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { examine } = await import("../doctor/examine.js");
      const examination = await examine();
      const nameWidth = Math.max(...examination.checks.map(({ name }) => name.length));

      if (json) print(`${JSON.stringify(examination, null, 2)}\n`);
      else for (const check of examination.checks) print(render(check, nameWidth));
      if (!json) print(verdict(examination));
      process.exitCode = examination.run ? 0 : 1;
    });
}
