import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseSize as parseSizeInTypeScript } from "../../src/cli/units.js";
import { formatDomain, parseDomain } from "../../src/integrations/libvirt/domain-xml.js";
import { disableIn, viasOf } from "../../src/integrations/libvirt/ways.js";
import { type Priority, priorities } from "../../src/linux/priority.js";
import { parseResident, parseStat } from "../../src/linux/procfs.js";
import { parseRecord } from "../../src/linux/protector-record.js";
import { protectingVariables } from "../../src/protect/preload-variables.js";
import { leastRate, mostRate, mostWorkers, releaseNumbers } from "../../src/protect/release-options.js";
import {
  ask,
  commandOfEnv,
  examine,
  parseElfHeader,
  parseMaps,
  parseNumber,
  parseProtection,
  parseQemu,
  parseShebang,
  parseSize,
  parseStatus,
  readersPid,
  saysDead,
  stopReaders,
  writeRecords,
} from "../support/readers.js";

afterAll(stopReaders);

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
  it("is read for both word sizes", async () => {
    const half = fc.integer({ min: 0, max: 0xffff });
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const headers = fc.record({
      is64Bit: fc.boolean(),
      machine: half,
      offset: word,
      entryBytes: half,
      count: half,
    });

    await fc.assert(
      fc.asyncProperty(headers, async (header) => {
        expect(await parseElfHeader(elf(header))).toEqual({ ...header, is64Bit: Number(header.is64Bit) });
      }),
    );
  });

  it("is no reason to throw, however broken", async () => {
    await fc.assert(
      fc.asyncProperty(bytes({ maxLength: 80 }), fc.boolean(), async (rest, isElf) => {
        await parseElfHeader(isElf ? Buffer.concat([Buffer.from("\x7fELF", "latin1"), rest]) : rest);
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
  ])("%j", async (text, interpreter, argument) => {
    expect(await parse(text)).toEqual({ interpreter, argument });
  });

  it.each(["", "#", "#!", "#!\n/bin/sh", "#! \t \n", "echo #!/bin/sh", " #!/bin/sh"])(
    "%j is none",
    async (text) => {
      expect(await parse(text)).toBeNull();
    },
  );

  it("is what was written, for every interpreter and argument without white space at the ends", async () => {
    const character = fc.integer({ min: 33, max: 255 }).map((code) => String.fromCharCode(code));
    const word = fc.string({ unit: character, minLength: 1, maxLength: 60 });

    await fc.assert(
      fc.asyncProperty(word, fc.option(word, { nil: undefined }), async (interpreter, argument) => {
        expect(await parse(`#!${interpreter} ${argument ?? ""}\nrest`)).toEqual({
          interpreter,
          argument: argument ?? "",
        });
      }),
    );
  });

  it("is read in the kernel's 256 bytes, and never a reason to throw", async () => {
    await fc.assert(
      fc.asyncProperty(bytes({ maxLength: 600 }), async (start) => {
        await parseShebang(Buffer.concat([Buffer.from("#!"), start]));
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
  ])("%j is %j", async (argument, command) => {
    expect(await commandOfEnv(argument)).toBe(command);
  });

  const dollar = "$";

  it.each([
    ...["-S", "-i", "A=1", "-S A=1", "-"],
    ...["-S -u NAME sh", "-S -i sh", "-i -S A=1 sh", "-S -C / sh", "--ignore-environment"],
    ...["-S 'my python' x", '-S "sh" x', `-S ${dollar}{SHELL} x`, "-S my\\_python", "-S sh # x"],
    ...["-S PATH=/opt/bin python", "-S LD_PRELOAD= sh"],
  ])("%j is not certain", async (argument) => {
    expect(await commandOfEnv(argument)).toBeNull();
  });

  it("is no reason to crash, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(
        bytes({ maxLength: 254, min: 1 }),
        async (argument) => void (await commandOfEnv(argument.toString("latin1"))),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 250 }),
        async (text) => void (await commandOfEnv(`-S ${text.replaceAll("\0", "")}`.slice(0, 254))),
      ),
    );
  });
});

describe("a size", () => {
  it("is read as the rest of the command line reads it", async () => {
    const unit = fc.constantFrom("", "K", "M", "G", "T", "k", "m", "g", "t", "X", "GiB");
    const number = fc.oneof(
      fc.nat().map(String),
      fc.bigInt({ min: 0n, max: 2n ** 60n }).map(String),
      fc.tuple(fc.nat(9999), fc.nat(999999)).map(([whole, part]) => `${whole}.${part}`),
      fc.string(),
    );

    await fc.assert(
      fc.asyncProperty(number, unit, async (digits, letter) => {
        const word = `${digits}${letter}`.replaceAll("\0", "");
        let expected = 0;
        try {
          expected = parseSizeInTypeScript(word);
        } catch {
          // neither is to read it
        }
        expect(Math.abs((await parseSize(word)) - expected)).toBeLessThanOrEqual(1); // a double's last digit
      }),
    );
  });
});

describe("the value of ASYNC_TEARDOWN", () => {
  const options = fc.record(
    {
      bestEffort: fc.boolean(),
      workers: fc.oneof(fc.constant("auto" as const), fc.integer({ min: 1, max: mostWorkers })),
      rate: fc.integer({ min: leastRate, max: mostRate }),
      priority: fc.constantFrom<Priority>(...priorities),
    },
    { requiredKeys: [] },
  );
  const digits = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((number) => String(number).padStart(10, "0"));

  it("is understood by the native part, whatever this one writes", async () => {
    await fc.assert(
      fc.asyncProperty(options, async (asked) => {
        const value = protectingVariables(undefined, asked).ASYNC_TEARDOWN;
        const { written, claimed, ...read } = (await parseProtection(value)) ?? { written: "", claimed: "" };

        // Nothing in it needs quoting in a unit, supervisord, an env-file, crontab, YAML or a shell.
        expect(value).toMatch(/^[a-z][a-z0-9:/]+$/);
        expect(read).toEqual({
          pid: 0,
          namespace: 0,
          strict: asked.bestEffort ? 0 : 1,
          forks: 0,
          ...releaseNumbers(asked),
        });
        expect(written).toBe(value); // both write alike
        expect(claimed).toHaveLength(value.length);
        expect(await parseProtection(claimed)).toMatchObject({
          pid: readersPid(),
          strict: 0,
          ...releaseNumbers(asked),
        });
      }),
    );
  });

  it("may have its fields in any order, and strangers among them", async () => {
    const fields = fc.tuple(digits, digits, fc.stringMatching(/^[a-z-]{1,12}(:[a-z0-9]{0,9})?$/));

    await fc.assert(
      fc.asyncProperty(fields, fc.nat(5), async ([pid, namespace, stranger], turn) => {
        fc.pre(!/^(pid|ns|strict|workers|rate|priority):/.test(stranger));
        const all = [`pid:${pid}`, `ns:${namespace}`, stranger, "workers:7"];
        const turned = [...all.slice(turn % 4), ...all.slice(0, turn % 4)].join("/");

        expect(await parseProtection(turned)).toMatchObject({
          pid: Number(pid),
          namespace: Number(namespace),
          strict: 0,
          workers: 7,
          unknown: expect.stringMatching(new RegExp(`^${stranger}(/|$)`)),
        });
      }),
    );
  });

  it("names nobody without a PID and its namespace, whole; and nothing is a reason to crash", async () => {
    for (const value of [
      "",
      "/",
      "pid:0000000001",
      "ns:0000000001",
      "pid:1/ns:0000000001",
      "pid:00000000001/ns:0000000001",
    ])
      expect(await parseProtection(value)).toBeNull();
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => void (await parseProtection(text.replaceAll("\0", "")))),
    );
  });
});

describe("a QEMU's command line", () => {
  it("says the same of teardown to the launcher as to 'libvirt status', and 'disable' leaves the same", async () => {
    const value = fc.constantFrom(
      "",
      "=on",
      "=yes",
      "=true",
      "=y",
      "=off",
      "=no",
      "=false",
      "=n",
      "=perhaps",
    );
    const part = fc.oneof(
      value.map((each) => `async-teardown${each}`),
      fc.constantFrom("noasync-teardown", "chroot=/x", "user=y", "", ","),
    );
    const runWith = fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => ["-run-with", parts.join(",")]);
    const group = fc.oneof(
      { weight: 4, arbitrary: runWith },
      fc.constantFrom(["-async-teardown"], ["--async-teardown"], ["-S"], ["-m", "1G"]),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 3 }), async (groups) => {
        const args = groups.flat().map((word) => `<q:arg value='${word}'/>`);
        const namespace = "http://libvirt.org/schemas/domain/qemu/1.0";
        const domain = parseDomain(
          `<domain xmlns:q='${namespace}'><q:commandline>${args.join("")}</q:commandline></domain>`,
        );
        const said = await parseQemu(["qemu", ...groups.flat()]);

        expect(viasOf(domain)).toEqual(said.on ? ["commandline"] : []);
        disableIn(domain);
        const left = [...formatDomain(domain).matchAll(/<q:arg value="([^"]*)"/g)].map(
          ([, word = ""]) => word,
        );
        expect(await parseQemu(["qemu", ...left])).toMatchObject({ on: 0, words: said.words });
      }),
    );
  });
});

describe("/proc/<pid>/status", () => {
  it("says as much to the native part as to the other", async () => {
    const kB = fc.nat().map(String);
    const line = fc.oneof(
      fc.tuple(fc.constantFrom("VmRSS", "HugetlbPages"), kB).map(([name, n]) => `${name}:\t   ${n} kB\n`),
      fc.string({ maxLength: 30 }).map((text) => `Vm${text.replaceAll(/[\0\n]/g, "")}\n`),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
        const text = lines.join("");
        const { bytes, hasMemory } = await parseStatus(text);
        expect(hasMemory ? bytes : undefined).toBe(parseResident(text));
      }),
    );
  });

  it("says nothing where the process is gone", async () => {
    expect(await parseStatus("")).toEqual({
      state: "",
      hasMemory: 0,
      bytes: 0,
      anonymousBytes: 0,
      swappedBytes: 0,
    });
  });
});

describe("/proc/<pid>/stat", () => {
  it("says dead of a zombie that is alone, whatever it calls itself", async () => {
    const name = fc.string({ maxLength: 15 }).map((text) => text.replaceAll("\0", " "));

    await fc.assert(
      fc.asyncProperty(
        name,
        fc.constantFrom("R", "S", "Z", "X"),
        fc.nat(12),
        async (name, state, threads) => {
          const text = `7 (${name}) ${state} 1 7 7 0 -1 4 100 0 0 0 1 2 0 0 20 0 ${threads} 0 4711 0\n`;
          const seen = parseStat(text);
          expect(seen).toMatchObject({ state, threads });
          expect(await saysDead(text)).toBe("ZX".includes(state) && threads <= 1);
        },
      ),
    );
  });

  it("says dead where it says nothing, and where it fills the room", async () => {
    expect(await saysDead("")).toBe(true);
    expect(await saysDead("7 (a) ")).toBe(true);
    expect(await saysDead(`7 (a) Z ${"1 ".repeat(16)}${"0".repeat(600)}`)).toBe(false);
  });
});

describe("/proc/<pid>/maps", () => {
  it("is read whatever the files are called", async () => {
    const path = fc.string({ maxLength: 5000 }).map((text) => text.replaceAll(/[\0\n]/g, " "));
    const page = fc.integer({ min: 1, max: 2 ** 34 });
    const mapping = fc.record({ page, pages: page, inode: fc.nat(), isShared: fc.boolean(), path });

    await fc.assert(
      fc.asyncProperty(fc.array(mapping, { maxLength: 4 }), async (all) => {
        const hex = (pages: number) => (pages * 4096).toString(16);
        const text = all.map(
          ({ page, pages, inode, isShared, path }) =>
            `${hex(page)}-${hex(page + pages)} rw-${isShared ? "s" : "p"} 00000000 00:01 ${inode} ${path}\n`,
        );
        expect(await parseMaps(text.join(""))).toEqual(
          all.map(({ page, pages, inode, isShared }) => ({
            start: page * 4096,
            end: (page + pages) * 4096,
            isPrivateMemory: Number(!isShared && inode === 0),
            isWrittenBack: Number(isShared),
            inode,
          })),
        );
      }),
    );
  });

  it("may end anywhere", async () => {
    const line = "7f0000000000-7f0000200000 rw-s 00000000 00:01 1234    /dev/zero (deleted)\n";

    for (let end = 0; end < line.length; end++) expect(await parseMaps(line.slice(0, end))).toEqual([]);
  });
});

describe("a number", () => {
  it("is read to its end, and is one more than the bound where it is larger", async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 2n ** 70n }), fc.nat(255), async (number, most) => {
        const expected = number > most ? most + 1 : Number(number);
        expect(await parseNumber(`${number}/x`, most)).toEqual({ number: expected, rest: "/x" });
      }),
    );
  });
});

describe("what is written of a release", () => {
  it("keeps within its room, and is read by the other part", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(200), async (bytes) => {
        const { argv } = await writeRecords(" ".repeat(bytes));
        expect(argv).toHaveLength(bytes);
        if (bytes >= 100)
          // all of it fits
          expect(parseRecord(argv.trim())).toMatchObject({ bytes: 2 ** 40 });
      }),
    );
    expect((await writeRecords(" ")).told).toMatch(/^releasing bytes=\d+ seen=\d+ died=\d+ rate=1048576 /);
  });
});

describe("the seeds of the fuzzer", () => {
  const seeds = "test/fuzz/seeds";

  it.each(readdirSync(seeds))("%s", async (reader) => {
    const answers = [];
    for (const name of readdirSync(join(seeds, reader)))
      answers.push(await ask(reader, readFileSync(join(seeds, reader, name))));
    expect(answers).not.toContain(undefined);
  });

  it("have programs among them", async () => {
    const seed = (name: string) => readFileSync(join(seeds, "executable", name));

    expect(await examine(seed("asan"))).toMatchObject({ isAsan: 1, code: "" });
    expect(await examine(seed("plain"))).toMatchObject({ isAsan: 0, code: "" });
    expect(await examine(seed("static"))).toMatchObject({ code: "ERR_STATIC" });
  });
});
