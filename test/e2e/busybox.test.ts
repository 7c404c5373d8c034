import { describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { asyncTeardown } from "../support/paths.js";
import { run, runToEnd } from "../support/start.js";

const noBusybox = await missing("busybox", "busybox-static");

describe.skipIf(noBusybox)(`a static program, busybox (${noBusybox ?? "it is there"})`, () => {
  it("is refused with the reason and what to do instead", async () => {
    const { exitCode, stdout, stderr } = await runToEnd([...run, "busybox", "echo", "hello"]);

    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(
      /busybox' cannot be protected by a helper: it is statically linked, .*; --best-effort/,
    );
  });

  it("runs unprotected with best effort, and so does what it starts", async () => {
    const words = [asyncTeardown, "run", "--best-effort", "--", "busybox", "sh", "-c"];
    const { exitCode, stdout, stderr } = await runToEnd([...words, "env | grep -c ASYNC_TEARDOWN; exit 3"]);

    expect([exitCode, stdout]).toEqual([3, "0"]);
    expect(stderr).toMatch(/it runs unprotected$/);
  });
});
