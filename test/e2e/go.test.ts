import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { attach } from "../../src/protect/attach.js";
import { missing } from "../support/component.js";
import { endWhileHeld, noHolder } from "../support/holder.js";
import { affordable, MiB } from "../support/memory.js";
import { program, target } from "../support/paths.js";
import { runToEnd, start } from "../support/start.js";

const noGo = noHolder ?? missing("go", "golang-go");
const server = program("go-server");
const bytes = affordable(1024 * MiB);

// Debian's own Go servers are linked dynamically; this one is as Go makes them where it is left alone.
describe.skipIf(noGo)(`a static Go server (${noGo ?? "Go is there"})`, () => {
  it("is held, answers all the while, and exits at once", { timeout: 120_000 }, async () => {
    const words = ["go", "build", "-o", server, target("server.go")];
    const env = { CGO_ENABLED: "0", GOCACHE: `${program("go-cache")}`, GO111MODULE: "off" };
    expect((await runToEnd(words, { env })).stderr).toBe("");
    expect((await runToEnd(["readelf", "--program-headers", server])).stdout).not.toContain("INTERP");

    const child = start([server, String(bytes)]);
    const [address] = await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    const ask = async () => (await fetch(`http://${String(address).trim()}/`)).text();
    const hold = await attach(child.pid);

    expect(await ask()).toBe(String(bytes));
    await hold.detach();
    expect(await ask()).toBe(String(bytes));

    await endWhileHeld({ words: [server, String(bytes)] });
    const terminate = {
      words: [server, String(bytes)],
      end: (child: { kill(signal: "SIGTERM"): void }) => child.kill("SIGTERM"),
    };
    await endWhileHeld(terminate);
  });
});
