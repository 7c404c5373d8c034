import { describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { noHolder } from "../support/holder.js";
import { asyncTeardown } from "../support/paths.js";
import { holdersOf, isParked, status, until } from "../support/proc.js";
import { run, runToEnd, start } from "../support/start.js";

const noBusybox = missing("busybox", "busybox-static");

const byHelper = [asyncTeardown, "run", "--mechanism", "helper"];

describe.skipIf(noBusybox)(`a static program, busybox (${noBusybox ?? "it is there"})`, () => {
  it("is refused by a helper, with the reason and what to do instead", async () => {
    const { exitCode, stdout, stderr } = await runToEnd([...byHelper, "--", "busybox", "echo", "hello"]);

    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(
      /busybox' cannot be protected by a helper: it is statically linked, .*; --best-effort/,
    );
  });

  it("runs unprotected with best effort, and so does what it starts", async () => {
    const words = [...byHelper, "--best-effort", "--", "busybox", "sh", "-c"];
    const { exitCode, stdout, stderr } = await runToEnd([...words, "env | grep -c ASYNC_TEARDOWN; exit 3"]);

    expect([exitCode, stdout]).toEqual([3, "0"]);
    expect(stderr).toMatch(/it runs unprotected$/);
  });

  it.skipIf(noHolder)("is held by a holder where the caller may do that", async () => {
    const child = start([...run, "busybox", "sleep", "1000"]);

    await until(
      () => status(child.pid).Name === "busybox" && holdersOf(child.pid).some(isParked),
      "the new image is held",
    );
  });
});
