import type { ChildProcess } from "node:child_process";
import { restoreTerminal } from "./progress.js";

const running = new Set<ChildProcess>();

/** Makes sure that the child does not outlive this process. Its helper, if any, goes with it. */
export function endWithUs<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

function cleanUp(): void {
  restoreTerminal();
  for (const child of running) child.kill("SIGKILL");
}

/** However this process ends, short of SIGKILL. */
export function cleanUpAtEnd(): void {
  process.on("exit", cleanUp);
  process.stdout.on("error", () => process.exit(1)); // a reader that is gone, as with "| head"
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      cleanUp();
      process.kill(process.pid, signal); // nobody listens any more: it ends us, as our parent expects
    });
}
