import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLocal, parseHasFeature } from "../../../src/integrations/libvirt/abilities.js";
import { optionOf, parseAnswers } from "../../../src/integrations/libvirt/emulator.js";
import { hookText, runsHookDirectory } from "../../../src/integrations/libvirt/hook.js";
import { pidDirectoryOf, pidFileOf } from "../../../src/integrations/libvirt/status.js";
import { complaintOf } from "../../../src/integrations/libvirt/virsh.js";
import { isSealed } from "../../../src/integrations/sealed-file.js";

/** What a QEMU answers, as 7.2 and 10.0 do. */
function answers(major: number, minor: number, options: readonly string[]): string {
  const parameters = [{ name: "async-teardown", type: "boolean" }];
  const list = options.map((option) => ({ option, parameters: option === "run-with" ? parameters : [] }));

  return [
    { QMP: { version: { qemu: { micro: 1, minor, major }, package: "" }, capabilities: ["oob"] } },
    { return: {} },
    { return: { qemu: { micro: 1, minor, major }, package: "" } },
    { return: [{ option: "smp-opts", parameters: [{ name: "cpus" }] }, ...list] },
    { timestamp: { seconds: 1, microseconds: 2 }, event: "SHUTDOWN", data: { guest: false } },
    { return: {} },
  ]
    .map((answer) => `${JSON.stringify(answer)}\r\n`)
    .join("");
}

const asked = (text: string) => {
  const parsed = parseAnswers(text);
  return parsed && optionOf(parsed);
};

describe("what a QEMU answers", () => {
  it.each([
    [6, 2, [], undefined],
    [7, 1, [], undefined],
    [7, 2, [], "-async-teardown"],
    [8, 0, [], "-async-teardown"],
    [8, 1, ["run-with"], "-run-with"],
    [9, 0, [], undefined],
    [10, 0, ["run-with"], "-run-with"],
  ])("as version %i.%i with %j means %s", (major, minor, options, option) => {
    expect(asked(answers(major, minor, options))).toBe(option);
  });

  it("is nothing where it ended before", () => {
    expect(parseAnswers("")).toBeUndefined();
    expect(parseAnswers('{"QMP": {}}\n{"return": {}}\n')).toBeUndefined();
  });
});

describe("libvirt's domain capabilities", () => {
  const capabilities = (features: string) =>
    `<domainCapabilities><path>/usr/bin/qemu</path><features>${features}</features></domainCapabilities>`;

  it.each([
    ["<async-teardown supported='yes'/>", true],
    ["<async-teardown supported='no'/>", false],
    ["<gic supported='no'/>", false],
    ["<hyperv><async-teardown supported='yes'/></hyperv>", false],
  ])("with %s: %s", (features, has) => {
    expect(parseHasFeature(capabilities(features))).toBe(has);
  });
});

describe("the URI of a libvirt", () => {
  it.each([
    ["qemu:///system", true, "/run/libvirt/qemu"],
    ["qemu+unix:///system?socket=/x", true, "/run/libvirt/qemu"],
    ["qemu+ssh://host/system", false, undefined],
    ["qemu://host/system", false, undefined],
    ["qemu+ssh:///system", false, undefined],
  ])("%s is local: %s, with PIDs in %s", (uri, local, directory) => {
    expect(isLocal(uri)).toBe(local);
    expect(pidDirectoryOf(uri)).toBe(directory);
  });
});

describe("the file of a QEMU's PID", () => {
  it("is named as XML has the domain's name", () => {
    expect(pidFileOf(`R&D <'a'> "b" ü.1`, "/run")).toBe(
      "/run/R&amp;D &lt;&apos;a&apos;&gt; &quot;b&quot; ü.1.pid",
    );
  });
});

describe("what virsh complains of", () => {
  it("is one line", () => {
    expect(complaintOf("error: failed to connect\nerror: no such file\n\n")).toBe(
      "failed to connect: no such file",
    );
    expect(complaintOf("")).toBe("");
  });
});

describe("the hook", () => {
  it("is known whatever the path in it is, and not where anybody has changed it", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (path, at) => {
        const text = hookText(`/${path}`);
        const place = at % text.length;

        expect(isSealed(text)).toBe(true);
        expect(isSealed(`${text.slice(0, place)}\n#${text.slice(place)}`)).toBe(false);
        expect(isSealed(text.slice(0, place))).toBe(false);
      }),
    );
  });

  it.each([
    ["5.10.0\n", false],
    ["6.4.0", false],
    ["6.5.0", true],
    ["9.0.0\n", true],
    ["11.3.0", true],
  ])("is run by libvirt %s: %s", (version, runs) => expect(runsHookDirectory(version)).toBe(runs));
});
