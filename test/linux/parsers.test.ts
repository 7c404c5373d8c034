import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitAtNul, toBuffer, toBytes, toText } from "../../src/linux/bytes.js";
import { elfHeaderBytes, namesInterpreter, parseElfHeader } from "../../src/linux/elf.js";
import { commandOfEnv, parseShebang } from "../../src/linux/shebang.js";

const bytes = (options?: fc.IntArrayConstraints) => fc.uint8Array(options).map((array) => Buffer.from(array));

describe("bytes", () => {
  it("come back as they went, whatever they are", () => {
    fc.assert(fc.property(bytes(), (buffer) => toBuffer(buffer.toString("latin1")).equals(buffer)));
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => toText(toBytes(text)) === text));
  });

  it("are split where a NUL ends each", () => {
    const strings = fc.array(
      fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) }),
    );
    fc.assert(
      fc.property(strings, (words) => {
        const contents = toBuffer(words.map((word) => `${word}\0`).join(""));
        expect(splitAtNul(contents)).toEqual(words);
      }),
    );
  });
});

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
  const start = Buffer.alloc(elfHeaderBytes);
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
        const { is64Bit, machine, ...programHeaders } = header;
        expect(parseElfHeader(elf(header))).toEqual({ is64Bit, machine, programHeaders });
      }),
    );
  });

  it("is no reason to throw, however broken", () => {
    fc.assert(
      fc.property(bytes({ maxLength: 80 }), fc.boolean(), (rest, isElf) => {
        parseElfHeader(isElf ? Buffer.concat([Buffer.from("\x7fELF", "latin1"), rest]) : rest);
      }),
    );
    fc.assert(
      fc.property(
        bytes(),
        fc.nat(100),
        (headers, size) => typeof namesInterpreter(headers, size) === "boolean",
      ),
    );
  });

  it("tells of Node.js itself that it has an interpreter", () => {
    const file = readFileSync(process.execPath);
    const header = parseElfHeader(file);
    const { offset, entryBytes, count } = header?.programHeaders ?? { offset: 0, entryBytes: 0, count: 0 };

    expect(header?.is64Bit).toBe(true);
    expect(namesInterpreter(file.subarray(offset, offset + entryBytes * count), entryBytes)).toBe(true);
  });
});

describe("the first line of a script", () => {
  const parse = (text: string) => parseShebang(Buffer.from(text, "latin1"));

  it.each([
    ["#!/bin/sh\necho", "/bin/sh", undefined],
    ["#!/bin/sh", "/bin/sh", undefined],
    ["#! /bin/sh -e \necho", "/bin/sh", "-e"],
    ["#!\t/usr/bin/env\tpython3 -u\n", "/usr/bin/env", "python3 -u"],
    ["#!relative/interpreter\n", "relative/interpreter", undefined],
    ["#!/bin/ünïcödé\n", "/bin/ünïcödé", undefined],
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
        expect(parse(`#!${interpreter} ${argument ?? ""}\nrest`)).toEqual({ interpreter, argument });
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
    ["-S A=1 B=2 python3 -u", "python3"],
    ["-i -S A=1 sh", "sh"],
    ["--split-string=perl -w", "perl"],
  ])("%j is %j", (argument, command) => {
    expect(commandOfEnv(argument)).toBe(command);
  });

  it.each(["-S", "-i", "A=1"])("%j is nothing", (argument) => {
    expect(commandOfEnv(argument)).toBeUndefined();
  });
});
