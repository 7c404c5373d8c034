import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProperties } from "../../src/integrations/systemd/systemctl.js";
import { templateText } from "../../src/integrations/systemd/unit-files.js";
import { isOfService, serviceName, templateOf } from "../../src/integrations/systemd/unit-name.js";

const system = { isUser: false, isRuntime: false };

describe("the name of a service", () => {
  it.each([
    ["redis", "redis.service"],
    ["redis.service", "redis.service"],
    ["app@", "app@.service"],
    ["app@a-b\\x2dc", "app@a-b\\x2dc.service"],
    ["app@a@b.service", "app@a@b.service"],
  ])("%s is %s", (word, name) => expect(serviceName(word)).toBe(name));

  it.each(["", "a b", "../x", "a/b", "a%n", "@x", "--now=", "a\nb", "x".repeat(230), "a.slice", "a.socket"])(
    "is not %j",
    (word) => expect(() => serviceName(word)).toThrow(expect.objectContaining({ code: "ERR_UNIT" })),
  );

  it("never leads out of a folder, whatever is given", () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        try {
          expect(serviceName(word)).toMatch(/^[^/\s%]+\.service$/);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_UNIT" });
        }
      }),
    );
  });

  it("tells instances from their template", () => {
    expect([templateOf("a@b.service"), templateOf("a@.service"), templateOf("a.service")]).toEqual([
      "a@.service",
      undefined,
      undefined,
    ]);
    expect(isOfService("a@b.service", "a@.service")).toBe(true);
    expect(isOfService("a@b.service", "a@c.service")).toBe(false);
    expect(isOfService("ab@b.service", "b@.service")).toBe(false);
    expect(isOfService(null, "a@.service")).toBe(false);
  });
});

describe("the hold unit", () => {
  it("quotes the words that start this tool", () => {
    const text = templateText(["/opt/no de", '/a"b\\c%d/main.js'], system);
    expect(text).toContain('ExecStart=:"/opt/no de" "/a\\"b\\\\c%%d/main.js" "systemd" "hold" %i\n');
    expect(templateText(["node"], { ...system, isUser: true })).toContain('"hold" "--user" %i\n');
  });
});

describe("what systemctl show prints", () => {
  it("is read line by line", () => {
    expect([...parseProperties("Id=a.service\nMainPID=0\nX=a=b\nnothing\n\n")]).toEqual([
      ["Id", "a.service"],
      ["MainPID", "0"],
      ["X", "a=b"],
    ]);
  });
});
