import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDomain, parseDomain } from "../../../src/integrations/libvirt/domain-xml.js";
import { disableIn, enableIn, viasOf, type Way } from "../../../src/integrations/libvirt/ways.js";
import { root } from "../../support/paths.js";

const folder = join(root, "test/integrations/libvirt/domains");
const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);

const emulator: Way = { via: "emulator", path: "/opt/a/qemu-async-teardown" };
const ways: Way[] = [
  { via: "feature" },
  { via: "commandline", option: "-async-teardown" },
  { via: "commandline", option: "-run-with" },
  emulator,
];

const inOneStyle = (xml: string) => formatDomain(parseDomain(xml));

function enabled(xml: string, way: Way): string {
  const domain = parseDomain(xml);
  enableIn(domain, way);
  return formatDomain(domain);
}

function disabled(xml: string): string {
  const domain = parseDomain(xml);
  disableIn(domain);
  return formatDomain(domain);
}

const vias = (xml: string) => viasOf(parseDomain(xml));

const passing = (...words: string[]) =>
  `<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:commandline>${words
    .map((word) => `<qemu:arg value='${word}'/>`)
    .join("")}</qemu:commandline></domain>`;

describe.each(files)("the domain %s", (_name, xml) => {
  it.each(ways)("is as before after $via $option and its undoing", (way) => {
    const on = enabled(xml, way);

    expect(vias(xml)).toEqual([]);
    expect(vias(on)).toEqual([way.via]);
    expect(on).not.toBe(inOneStyle(xml));
    expect(disabled(on)).toBe(inOneStyle(xml));
  });

  it("is not touched by an undoing of nothing, and is the same to whoever reads it again", () => {
    expect(disabled(xml)).toBe(inOneStyle(xml));
    expect(inOneStyle(inOneStyle(xml))).toBe(inOneStyle(xml));
  });
});

describe("what is written", () => {
  const [, plain = ""] = files.find(([name]) => name === "no-features.xml") ?? [];
  const [, passthrough = ""] = files.find(([name]) => name === "passthrough.xml") ?? [];
  const [, otherPrefix = ""] = files.find(([name]) => name === "other-prefix.xml") ?? [];

  it("is libvirt's own element", () => {
    expect(enabled(plain, { via: "feature" })).toContain(
      '\n  <features>\n    <async-teardown enabled="yes"/>\n  </features>\n</domain>',
    );
  });

  it("is QEMU's option, in libvirt's namespace for QEMU", () => {
    expect(enabled(plain, { via: "commandline", option: "-run-with" })).toContain(
      '\n  <qemu:commandline xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">\n' +
        '    <qemu:arg value="-run-with"/>\n    <qemu:arg value="async-teardown=on"/>\n  </qemu:commandline>',
    );
    expect(enabled(otherPrefix, { via: "commandline", option: "-async-teardown" })).toContain(
      '<q:arg value="-async-teardown"/>',
    );
  });

  it("has the prefix that the domain declares for that namespace", () => {
    const declared = otherPrefix.replace(/<q:commandline>.*<.q:commandline>/, "");
    expect(enabled(declared, emulator)).toMatch(
      /<q:commandline>\s+<q:env name="ASYNC_TEARDOWN_QEMU" value="[^"]+"\/>\s+<\/q:commandline>/,
    );
  });

  it("keeps characters that only XML 1.1 takes for line breaks", () => {
    expect(inOneStyle("<domain><title>a\u0085b\u2028c</title></domain>")).toContain("a\u0085b\u2028c");
  });

  it("is our emulator, with the QEMU that it had", () => {
    expect(enabled(plain, emulator)).toContain("<emulator>/opt/a/qemu-async-teardown</emulator>");
    expect(enabled(passthrough, emulator)).toContain(
      '<qemu:env name="ASYNC_TEARDOWN_QEMU" value="/usr/bin/qemu-system-x86_64"/>',
    );
  });
});

describe("what is in a domain already", () => {
  const byHand = (more = "") =>
    passing("-S").replace(
      "</domain>",
      `<devices><emulator>/usr/local/bin/qemu-async-teardown-x86_64</emulator></devices>${more}</domain>`,
    );

  it("as our emulator written by hand is seen, and needs the QEMU's name to be taken out", () => {
    expect(vias(byHand())).toEqual(["emulator"]);
    expect(() => disabled(byHand())).toThrow(expect.objectContaining({ code: "ERR_DOMAIN" }));
    const named = byHand().replace(
      "<qemu:arg",
      "<qemu:env name='ASYNC_TEARDOWN_QEMU' value='/opt/q/qemu-system-x86_64'/><qemu:arg",
    );
    expect(disabled(named)).toContain("<emulator>/opt/q/qemu-system-x86_64</emulator>");
    expect(disabled(named)).not.toContain("ASYNC_TEARDOWN_QEMU");
  });

  it.each([
    [["-async-teardown"], []],
    [["--async-teardown", "-S"], ["-S"]],
    [["-run-with", "async-teardown=on"], []],
    [
      ["--run-with", "async-teardown=on,chroot=/x"],
      ["--run-with", "chroot=/x"],
    ],
    [["-run-with", "async-teardown"], []],
    [
      ["-run-with", "async-teardown=off,user=x,async-teardown=y"],
      ["-run-with", "user=x"],
    ],
    [
      ["-run-with", "async-teardown=on", "-run-with", "async-teardown=off"],
      ["-run-with", "async-teardown=off"],
    ],
  ])("as %j is seen, and taken out to leave %j", (words, left) => {
    expect(vias(passing(...words))).toEqual(["commandline"]);
    const after = disabled(passing(...words));
    expect([...after.matchAll(/value="([^"]*)"/g)].map(([, word]) => word)).toEqual(left);
  });

  it.each([
    [["-run-with", "async-teardown=off"]],
    [["-run-with", "async-teardown=on,async-teardown=off"]],
    [["-run-with", "chroot=/x,,async-teardown=on"]],
    [["-fw_cfg", "x=-async-teardown"]],
    [["-run-with"]],
    [["async-teardown=on"]],
  ])("as %j is left alone", (words) => {
    expect(vias(passing(...words))).toEqual([]);
    expect(disabled(passing(...words))).toBe(inOneStyle(passing(...words)));
  });

  it("as a no is the user's, and refused", () => {
    const nos = [
      "<domain><features><async-teardown enabled='no'/></features></domain>",
      passing("-run-with", "noasync-teardown"),
      passing("-run-with", "async-teardown,user=x,async-teardown=n"),
    ];
    for (const no of nos) {
      expect(vias(no)).toEqual([]);
      for (const way of ways)
        expect(() => enabled(no, way)).toThrow(expect.objectContaining({ code: "ERR_DOMAIN" }));
      expect(disabled(no)).toBe(inOneStyle(no));
    }
  });
});

describe("XML that is none", () => {
  it.each([
    "",
    "text",
    "<domain>",
    "<domain></domains>",
    "<domain type=kvm/>",
    "<domain/><domain/>",
    "<domain>&unknown;</domain>",
    "<domain a='1' a='2'/>",
    "<q:domain/>",
    "<network/>",
  ])("as '%s' is refused in one line", (xml) => {
    let error: unknown;
    try {
      parseDomain(xml);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: "ERR_DOMAIN_XML" });
    expect((error as Error).message).toMatch(/^the domain's XML cannot be read: [^\n]+$/);
  });
});

const character = fc.constantFrom(..."ab<>&'\" \n\t\r,=-é😀]");
const word = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(""));
const escaped = (text: string) => text.replace(/[<>&'"\n\t\r]/g, (each) => `&#${each.codePointAt(0)};`);
const option = fc.oneof(word, fc.constantFrom("-run-with", "-S", "chroot=/x", "chroot=/x,,y,user=z"));

/** Pieces of a domain, in any order, with anything between them. */
const piece = fc.oneof(
  word.map(escaped),
  word.map((text) => `<!--${text.replace(/[-\r]/g, "")}-->`),
  word.map((text) => `<![CDATA[${text.replace(/[\]\r]/g, "")}]]>`),
  word.map((text) => `<title a="${escaped(text)}">${escaped(text)}</title>`),
  word.map((text) => `<x:m xmlns:x='urn:x' x:a='${escaped(text)}'><n xmlns='urn:n'/></x:m>`),
  fc.constant("\n  "),
);
const domain = fc
  .record({
    pieces: fc.array(piece, { maxLength: 6 }),
    features: fc.option(
      fc.array(
        piece.map((text) => `<acpi/>${text}`),
        { minLength: 1, maxLength: 3 },
      ),
    ),
    args: fc.option(fc.array(option, { minLength: 1, maxLength: 4 })),
    env: fc.option(word),
    emulator: word,
  })
  .map(({ pieces, features, args, env, emulator }) => {
    const variable = env === null ? "" : `<q:env name='NAME' value='${escaped(env)}'/>`;
    const words = (args ?? []).map((each) => `<q:arg value='${escaped(each)}'/>`).join("\n  ");
    const line = words + variable === "" ? "" : `<q:commandline>${words}${variable}</q:commandline>`;
    const devices = `<devices><emulator>${escaped(emulator)}</emulator></devices>`;
    const feature = features ? `<features>${features.join("")}</features>` : "";
    return `<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>${pieces.join(feature)}${devices}${line}</domain>`;
  });

describe("any domain", () => {
  it("is as before after any way and its undoing", () => {
    fc.assert(
      fc.property(domain, fc.constantFrom(...ways), (xml, way) => {
        fc.pre(vias(xml).length === 0);
        const on = enabled(xml, way);

        expect(vias(on)).toEqual([way.via]);
        expect(disabled(on)).toBe(inOneStyle(xml));
      }),
    );
  });
});
