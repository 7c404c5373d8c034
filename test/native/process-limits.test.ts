import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeCgroup } from "../support/cgroup.js";
import { asyncTeardown } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

const cgroup = makeCgroup("pids");
const reason = typeof cgroup === "string" ? cgroup : undefined;
const directory = typeof cgroup === "string" ? "" : cgroup.directory;

/** The shell's exec leaves no process but the command's own in the cgroup. */
function runWithin(most: number, ...options: string[]) {
  writeFileSync(`${directory}/pids.max`, String(most));
  const enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', directory];
  return runToEnd([...enter, asyncTeardown, "run", "--mechanism", "helper", ...options, "/bin/echo", "ran"]);
}

describe.skipIf(reason)(`a limit on processes, pids.max (${reason ?? "it can be set"})`, () => {
  it("of three is enough: the command, the helper, and for a moment the process between them", async () => {
    expect(await runWithin(3)).toMatchObject({ exitCode: 0, stdout: "ran", stderr: "" });
  });

  it.each([1, 2])("of %i is not, and is named", async (most) => {
    const why = expect.stringMatching(/\(EAGAIN: the limit on processes is reached, .*pids\.max.*TasksMax/);

    expect(await runWithin(most)).toMatchObject({ exitCode: 125, stdout: "", stderr: why });
    expect(await runWithin(most, "--best-effort")).toMatchObject({ exitCode: 0, stdout: "ran", stderr: why });
  });
});
