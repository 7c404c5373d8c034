import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { root } from "../support/paths.js";
import { ending, start } from "../support/start.js";

const bytes = 2 ** 20;
/** Node.js makes a pipe non-blocking by the mere mention of its stream. */
const script = `process.stdout; import { print } from "${join(root, "dist/cli/output.js")}"; print("x".repeat(${bytes}))`;

it("arrives whole through a pipe that another process has made non-blocking, and that is slow", async () => {
  const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
  const fifo = join(folder, "fifo");

  execFileSync("mkfifo", [fifo]);
  // Opened for both, so that the open needs nobody at the other end.
  const pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const child = start([process.execPath, "--input-type=module", "-e", script], {
    stdio: ["ignore", pipe, "inherit"],
  });
  const buffer = Buffer.alloc(2 ** 16);
  let arrived = 0;

  for (let turn = 0; turn < 3000 && arrived < bytes; turn++) {
    await sleep(10);
    try {
      arrived += readSync(pipe, buffer);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN"); // nothing there yet
    }
  }
  expect([arrived, await ending(child)]).toEqual([bytes, 0]);
  closeSync(pipe);
  rmSync(folder, { recursive: true });
});
