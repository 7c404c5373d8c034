import logUpdate from "log-update";
import { bar, isInteractive, styled } from "#dist/cli/style.js";
import { formatBytes } from "#dist/format.js";

/** A line that is a bar while something goes on, where it can be redrawn, and a sentence after it. */
export interface Progress {
  show(bytes: number, phase: string): void;
  end(sentence: string): void;
}

const phaseWidth = 10;
const amountWidth = "1023.9 MiB of 1023.9 MiB".length;
const lineWidth = 80;

/** Takes an unfinished bar away, and shows the cursor again. */
export function restoreTerminal(): void {
  if (!isInteractive) return;
  logUpdate.clear();
  logUpdate.done();
}

export function startProgress(label: string, phase: string, total: number): Progress {
  const say = (sentence: string) => console.log(`${styled("bold", label)}  ${sentence}`);

  if (!isInteractive) return { show() {}, end: say };
  const barWidth = lineWidth - label.length - phaseWidth - amountWidth - 5;

  function show(bytes: number, now: string): void {
    const amount = `${formatBytes(bytes)} of ${formatBytes(total)}`.padStart(amountWidth);
    logUpdate(
      `${styled("bold", label)}  ${now.padEnd(phaseWidth)} ${bar(bytes / total, barWidth)} ${amount}`,
    );
  }

  show(0, phase);
  return {
    show,
    end(sentence) {
      restoreTerminal();
      say(sentence);
    },
  };
}
