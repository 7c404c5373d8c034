import { SingleBar } from "cli-progress";
import { bytesText } from "./format.js";
import { isInteractive, styled } from "./style.js";

/** A line that is a bar while something goes on, where it can be redrawn, and a sentence after it. */
export interface Progress {
  show(bytes: number, phase: string): void;
  end(sentence: string): void;
}

const phaseWidth = 15;
const amountWidth = "1023 MiB of 1023 MiB".length;

let current: SingleBar | undefined;

/** Takes an unfinished bar away, and shows the cursor again. */
export function restoreTerminal(): void {
  current?.stop();
  current = undefined;
}

function amountText(bytes: number, total: number): string {
  return `${bytesText(bytes)} of ${bytesText(total)}`.padStart(amountWidth);
}

export function startProgress(label: string, phase: string, total: number): Progress {
  const say = (sentence: string) => console.log(`${styled("bold", label)}  ${sentence}`);

  if (!isInteractive) return { show() {}, end: say };

  const bar = new SingleBar({
    stream: process.stdout,
    format: `${styled("bold", label)}  {phase} ${styled("cyan", "{bar}")} {amount}`,
    barsize: 78 - label.length - phaseWidth - amountWidth - 3,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    fps: 25,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false, // it would keep a signal from ending us
  });
  const payload = (bytes: number, phase: string) => ({
    phase: phase.padEnd(phaseWidth),
    amount: amountText(bytes, total),
  });

  bar.start(total, 0, payload(0, phase));
  current = bar;
  return {
    show: (bytes, phase) => bar.update(bytes, payload(bytes, phase)),
    end(sentence) {
      restoreTerminal();
      say(sentence);
    },
  };
}
