import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const oldest = engines.node.replace(">=", "");

/** What Node.js does with the command where it takes itself for that version. */
function startAs(version: string) {
  const pretend = `Object.defineProperty(process.versions, "node", { value: "${version}" })`;
  const words = ["--import", `data:text/javascript,${pretend}`, join(root, "dist/cli/main.js"), "--version"];

  return runToEnd([process.execPath, ...words]);
}

describe("on a Node.js that is too old", () => {
  it.each(["18.20.4", "20.11.1"])(
    "every command, --version too, is one line and 125 (%s)",
    async (version) => {
      const { exitCode, stdout, stderr } = await startAs(version);

      expect([exitCode, stdout]).toEqual([125, ""]);
      expect(stderr).toBe(
        `async-teardown: needs Node.js ${oldest} or later, and ${process.execPath} is ${version}; put a newer one first in PATH`,
      );
    },
  );
});

it.each(["20.12.0", "21.0.0", "100.0.0"])("starts on Node.js %s", async (version) => {
  expect(await startAs(version)).toMatchObject({ exitCode: 0, stderr: "" });
});
