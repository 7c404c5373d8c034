import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSize as parseSizeInTypeScript } from "../../src/cli/units.js";
import { type Priority, priorities } from "../../src/linux/priority.js";
import { protectingVariables } from "../../src/protect/preload-variables.js";
import { leastRate, mostWorkers, releaseNumbers } from "../../src/protect/release-options.js";
import {
  commandOfEnv,
  parseElfHeader,
  parseProtection,
  parseShebang,
  parseSize,
} from "../support/parsers.js";

const bytes = (options?: fc.IntArrayConstraints) => fc.uint8Array(options).map((array) => Buffer.from(array));

/** The start of a little-endian ELF file. */
function elf({
  is64Bit,
  machine,
  offset,
  entryBytes,
  count,
}: {
  is64Bit: boolean;
  machine: number;
  offset: number;
  entryBytes: number;
  count: number;
}): Buffer {
  const start = Buffer.alloc(64);
  start.write("\x7fELF", "latin1");
  start[4] = is64Bit ? 2 : 1;
  start[5] = 1;
  start.writeUInt16LE(machine, 18);
  if (is64Bit) start.writeBigUInt64LE(BigInt(offset), 32);
  else start.writeUInt32LE(offset, 28);
  start.writeUInt16LE(entryBytes, is64Bit ? 54 : 42);
  start.writeUInt16LE(count, is64Bit ? 56 : 44);
  return start;
}

describe("an ELF header", () => {
  it("is read for both word sizes", () => {
    const half = fc.integer({ min: 0, max: 0xffff });
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const headers = fc.record({
      is64Bit: fc.boolean(),
      machine: half,
      offset: word,
      entryBytes: half,
      count: half,
    });

    fc.assert(
      fc.property(headers, (header) => {
        expect(parseElfHeader(elf(header))).toEqual({ ...header, is64Bit: Number(header.is64Bit) });
      }),
    );
  });

  it("is no reason to throw, however broken", () => {
    fc.assert(
      fc.property(bytes({ maxLength: 80 }), fc.boolean(), (rest, isElf) => {
        parseElfHeader(isElf ? Buffer.concat([Buffer.from("\x7fELF", "latin1"), rest]) : rest);
      }),
    );
  });
});

describe("the first line of a script", () => {
  const parse = (text: string) => parseShebang(Buffer.from(text, "latin1"));

  it.each([
    ["#!/bin/sh\necho", "/bin/sh", ""],
    ["#!/bin/sh", "/bin/sh", ""],
    ["#! /bin/sh -e \necho", "/bin/sh", "-e"],
    ["#!\t/usr/bin/env\tpython3 -u\n", "/usr/bin/env", "python3 -u"],
    ["#!relative/interpreter\n", "relative/interpreter", ""],
    ["#!/bin/ünïcödé\n", "/bin/ünïcödé", ""],
  ])("%j", (text, interpreter, argument) => {
    expect(parse(text)).toEqual({ interpreter, argument });
  });

  it.each(["", "#", "#!", "#!\n/bin/sh", "#! \t \n", "echo #!/bin/sh", " #!/bin/sh"])(
    "%j is none",
    (text) => {
      expect(parse(text)).toBeUndefined();
    },
  );

  it("is what was written, for every interpreter and argument without white space at the ends", () => {
    const character = fc.integer({ min: 33, max: 255 }).map((code) => String.fromCharCode(code));
    const word = fc.string({ unit: character, minLength: 1, maxLength: 60 });

    fc.assert(
      fc.property(word, fc.option(word, { nil: undefined }), (interpreter, argument) => {
        expect(parse(`#!${interpreter} ${argument ?? ""}\nrest`)).toEqual({
          interpreter,
          argument: argument ?? "",
        });
      }),
    );
  });

  it("is read in the kernel's 256 bytes, and never a reason to throw", () => {
    fc.assert(
      fc.property(bytes({ maxLength: 600 }), (start) => {
        parseShebang(Buffer.concat([Buffer.from("#!"), start]));
      }),
    );
  });
});

describe("what env starts", () => {
  it.each([
    ["bash", "bash"],
    ["-S node --harmony", "node"],
    ["-Snode", "node"],
    ["-vS node", "node"],
    ["-S A=1 B=2 python3 -u", "python3"],
    ["--split-string=perl -w", "perl"],
    ["-S \t perl\t-w", "perl"],
  ])("%j is %j", (argument, command) => {
    expect(commandOfEnv(argument)).toBe(command);
  });

  const dollar = "$";

  it.each([
    ...["-S", "-i", "A=1", "-S A=1", "-"],
    ...["-S -u NAME sh", "-S -i sh", "-i -S A=1 sh", "-S -C / sh", "--ignore-environment"],
    ...["-S 'my python' x", '-S "sh" x', `-S ${dollar}{SHELL} x`, "-S my\\_python", "-S sh # x"],
    ...["-S PATH=/opt/bin python", "-S LD_PRELOAD= sh"],
  ])("%j is not certain", (argument) => {
    expect(commandOfEnv(argument)).toBeUndefined();
  });

  it("is no reason to crash, whatever it is", () => {
    fc.assert(
      fc.property(
        bytes({ maxLength: 254, min: 1 }),
        (argument) => void commandOfEnv(argument.toString("latin1")),
      ),
    );
    fc.assert(
      fc.property(
        fc.string({ maxLength: 250 }),
        (text) => void commandOfEnv(`-S ${text.replaceAll("\0", "")}`.slice(0, 254)),
      ),
    );
  });
});

describe("a size", () => {
  it("is read as the rest of the command line reads it", () => {
    const unit = fc.constantFrom("", "K", "M", "G", "T", "k", "m", "g", "t", "X", "GiB");
    const number = fc.oneof(
      fc.nat().map(String),
      fc.bigInt({ min: 0n, max: 2n ** 60n }).map(String),
      fc.tuple(fc.nat(9999), fc.nat(999999)).map(([whole, part]) => `${whole}.${part}`),
      fc.string(),
    );

    fc.assert(
      fc.property(number, unit, (digits, letter) => {
        const word = `${digits}${letter}`.replaceAll("\0", "");
        let expected = 0;
        try {
          expected = parseSizeInTypeScript(word);
        } catch {
          // neither is to read it
        }
        expect(Math.abs(parseSize(word) - expected)).toBeLessThanOrEqual(1); // a double's last digit
      }),
    );
  });
});

describe("the value of ASYNC_TEARDOWN", () => {
  const options = fc.record(
    {
      bestEffort: fc.boolean(),
      workers: fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: mostWorkers })),
      rate: fc.integer({ min: leastRate, max: Number.MAX_SAFE_INTEGER }),
      priority: fc.constantFrom<Priority>(...priorities),
    },
    { requiredKeys: [] },
  );
  const digits = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((number) => String(number).padStart(10, "0"));

  it("is understood by the native part, whatever this one writes", () => {
    fc.assert(
      fc.property(options, (asked) => {
        const value = protectingVariables(undefined, asked).ASYNC_TEARDOWN;
        const { written, claimed, ...read } = parseProtection(value) ?? { written: "", claimed: "" };

        // Nothing in it needs quoting in a unit, supervisord, an env-file, crontab, YAML or a shell.
        expect(value).toMatch(/^[a-z][a-z0-9:/]+$/);
        expect(read).toEqual({
          pid: 0,
          namespace: 0,
          strict: asked.bestEffort ? 0 : 1,
          ...releaseNumbers(asked),
        });
        expect(written).toBe(value); // both write alike
        expect(claimed).toHaveLength(value.length);
        expect(parseProtection(claimed)).toMatchObject({
          pid: process.pid,
          strict: 0,
          ...releaseNumbers(asked),
        });
      }),
    );
  });

  it("may have its fields in any order, and strangers among them", () => {
    const fields = fc.tuple(digits, digits, fc.stringMatching(/^[a-z-]{1,12}(:[a-z0-9]{0,9})?$/));

    fc.assert(
      fc.property(fields, fc.nat(5), ([pid, namespace, stranger], turn) => {
        fc.pre(!/^(pid|ns|strict|workers|rate|priority):/.test(stranger));
        const all = [`pid:${pid}`, `ns:${namespace}`, stranger, "workers:7"];
        const turned = [...all.slice(turn % 4), ...all.slice(0, turn % 4)].join("/");

        expect(parseProtection(turned)).toMatchObject({
          pid: Number(pid),
          namespace: Number(namespace),
          strict: 0,
          workers: 7,
          unknown: expect.stringMatching(new RegExp(`^${stranger}(/|$)`)),
        });
      }),
    );
  });

  it("names nobody without a PID and its namespace, whole; and nothing is a reason to crash", () => {
    for (const value of [
      "",
      "/",
      "pid:0000000001",
      "ns:0000000001",
      "pid:1/ns:0000000001",
      "pid:00000000001/ns:0000000001",
    ])
      expect(parseProtection(value)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => void parseProtection(text.replaceAll("\0", ""))));
  });
});
