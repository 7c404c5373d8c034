import { type ChildProcess, spawn as nodeSpawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { spawn } from "../../src/protect/spawn.js";
import { root } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const bin = join(folder, "bin");
mkdirSync(bin);
writeFileSync(join(bin, "mine"), '#!/bin/sh\necho "mine $0 $*"; exit 3\n', { mode: 0o755 });
writeFileSync(join(bin, "closed"), "#!/bin/sh\n", { mode: 0o644 });
afterAll(() => rmSync(folder, { recursive: true }));

type Spawn = (...args: unknown[]) => ChildProcess;

/** What a caller sees: an exception, an error event, or how it ended and what it wrote. */
async function outcome(spawnIt: Spawn, args: readonly unknown[]): Promise<unknown> {
  let child: ChildProcess;

  try {
    child = spawnIt(...args);
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    return { thrown: { name, code, message } };
  }
  const failed = new Promise((tell) => {
    child.once("error", ({ code, path, syscall }: NodeJS.ErrnoException & { path?: string }) =>
      tell({ code, path, syscall }),
    );
  });
  const closed = new Promise((tell) => child.once("close", (exitCode, signal) => tell({ exitCode, signal })));
  const written = Promise.all(
    [child.stdout, child.stderr].map(async (stream) => (stream ? String(await buffer(stream)) : undefined)),
  );
  const { spawnfile, spawnargs } = child;

  return { ended: await Promise.race([failed, closed]), written: await written, spawnfile, spawnargs };
}

/** Without what only a protected child has, and the shell that sorts its own variables. */
const shown = (result: unknown) =>
  JSON.parse(JSON.stringify(result).replaceAll(/(LD_PRELOAD|ASYNC_TEARDOWN)=[^\\]*\\n/g, "")) as unknown;

class Inherited {
  declare OWN: string;
}
Object.defineProperty(Inherited.prototype, "BY_PROTOTYPE", { value: "inherited", enumerable: true });

const inherited = Object.assign(new Inherited(), { OWN: "own", PATH: `${bin}:/usr/bin:/bin` });

/** Commands, and what they print: their arguments, directory, variables. */
const commands = fc.constantFrom<unknown>(
  ...["env", "/usr/bin/env", "pwd", "mine", "./mine", "bin/mine", "closed", "no-such-command", "/etc", ""],
  ...[null, undefined, 7, "a\0b"],
);
const words = fc.constantFrom<unknown>(
  ...[undefined, null, [], Object.freeze(["echo", "a b", "ü"]), ["sh", "-c", "exit 7"], ["\0"]],
  ...["text", 7, true],
);
const options = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, null, 7, "text", []) },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        cwd: fc.constantFrom<unknown>(
          undefined,
          null,
          bin,
          folder,
          pathToFileURL(bin),
          "/nowhere",
          7,
          "a\0b",
        ),
        env: fc.constantFrom<unknown>(
          ...[
            undefined,
            null,
            {},
            inherited,
            Object.create({ PATH: bin, A: "1" }),
            { PATH: bin, N: 7, U: undefined },
          ],
          ...[{ PATH: "" }, { PATH: "." }, { "": "x", PATH: "/usr/bin:/bin" }, { A: "a\0b" }],
        ),
        argv0: fc.constantFrom<unknown>(undefined, null, "another", "", 7),
        shell: fc.constantFrom<unknown>(
          undefined,
          null,
          false,
          true,
          "",
          "/bin/sh",
          "/bin/bash",
          "/no/shell",
          7,
        ),
        detached: fc.constantFrom<unknown>(undefined, false, true, "yes"),
        uid: fc.constantFrom<unknown>(undefined, null, process.getuid?.(), "root", -1.5),
        stdio: fc.constantFrom<unknown>(undefined, "pipe", "ignore", ["ignore", "pipe", "pipe"], "nonsense"),
        timeout: fc.constantFrom<unknown>(undefined, 0, 60_000, -1),
        windowsHide: fc.constantFrom<unknown>(undefined, true, 7),
      },
      { requiredKeys: [] },
    ),
  },
);

describe("spawn", () => {
  it("gives what node:child_process's gives, for the same arguments", { timeout: 120_000 }, async () => {
    const calls = fc.oneof(
      fc.tuple(commands),
      fc.tuple(commands, words),
      fc.tuple(commands, options),
      fc.tuple(commands, words, options),
    );

    await fc.assert(
      fc.asyncProperty(calls, async (args) => {
        const [expected, actual] = await Promise.all([
          outcome(nodeSpawn as Spawn, args),
          outcome(spawn as Spawn, args),
        ]);
        expect(shown(actual)).toEqual(shown(expected));
      }),
      { numRuns: 150 },
    );
  });

  it("can be ended by an AbortSignal", async () => {
    const child = spawn("sleep", ["1000"], { signal: AbortSignal.timeout(50) });
    const [error] = (await new Promise<[Error]>((tell) => child.once("error", (...all) => tell(all)))) as [
      Error,
    ];
    expect(error.name).toBe("AbortError");
  });

  it("protects by a package whose path has letters that are not ASCII", async () => {
    const copy = join(folder, "pakét 漢".replace(" ", "-"));

    mkdirSync(copy);
    for (const part of ["dist", "package.json"])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, "build"), join(copy, "build"));
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const script = `
      import { spawn } from ${JSON.stringify(pathToFileURL(join(copy, "dist/index.js")))};
      spawn("sh", ["-c", "echo $LD_PRELOAD; echo $ASYNC_TEARDOWN"], { stdio: "inherit" });`;
    const { stdout, stderr } = await runToEnd([process.execPath, "--input-type=module", "--eval", script]);

    expect(stderr).toBe("");
    expect(stdout).toMatch(/^\/.*pakét-漢\/build\/.*\.so\npid:\d{10}\/ns:\d{10}\/strict:0$/);
  });
});
