/** A real systemd, and real services under it. */
import { describe, expect, test } from "vitest";
import { bootSystemd, type Systemd } from "../support/systemd.js";

const booted = await bootSystemd();
const reason = typeof booted === "string" ? booted : undefined;
const systemd = booted as Systemd;

describe.skipIf(reason)(`under systemd${reason === undefined ? "" : `: ${reason}`}`, () => {
  test("a service starts and stops", async () => {
    await systemd.output("systemd-run", "--unit=sleeper", "sleep", "1000");
    expect(await systemd.output("systemctl", "is-active", "sleeper")).toBe("active");
    await systemd.output("systemctl", "stop", "sleeper");
    expect((await systemd.run("systemctl", "is-active", "sleeper")).stdout).toBe("inactive");
  });
});
