/** What a user gets: the tarball of `npm pack`, installed under a path with a space, and globally. */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noCrossCompiler } from "../support/cross.js";
import { noHolder } from "../support/holder.js";
import { nativeFolder, program, root } from "../support/paths.js";
import { runToEnd, startReady } from "../support/start.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
const clone = join(folder, "clone");
const project = join(folder, "a project");
const installed = join(project, "node_modules/async-teardown");
const command = join(project, "node_modules/.bin/async-teardown");
const prefix = join(folder, "global");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

afterAll(() => rmSync(folder, { recursive: true }));

/** Does that, and returns what npm says besides. */
async function npm(directory: string, ...words: string[]): Promise<string> {
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier"];
  const { exitCode, stderr } = await runToEnd(["npm", ...words, ...quiet], {
    cwd: directory,
    timeout: 280_000,
  });

  expect(exitCode, stderr).toBe(0);
  return stderr;
}

/** A copy of what stands in the repository, at another place, with the same dependencies. */
function copyClone(): void {
  const built = ["node_modules", "build", "dist", ".git"].map((name) => join(root, name));

  cpSync(root, clone, { recursive: true, filter: (path) => !built.includes(path) });
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
}

/** For an ordinary user, who may read it all. */
const asUser = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
const isRoot = process.getuid?.() === 0;
const users: [string, string[]][] = isRoot
  ? [
      ["root", []],
      ["an ordinary user", asUser],
    ]
  : [["this user", []]];

describe.skipIf(noCrossCompiler)(`the package (${noCrossCompiler ?? "the cross compiler is there"})`, () => {
  beforeAll(async () => {
    copyClone();
    chmodSync(folder, 0o755);
    // pack looks at no --prefix; whoever runs the tests may have switched scripts off.
    await npm(clone, "pack", "--pack-destination", folder, "--ignore-scripts=false");
    const tarball = join(folder, `async-teardown-${manifest.version}.tgz`);
    const options = ["--omit=dev", "--prefer-offline", tarball];

    mkdirSync(project);
    await npm(project, "install", "--ignore-scripts", ...options);
    // Where scripts may run there is none, nor one that npm warns of.
    expect(
      await npm(project, "install", "--global", "--prefix", prefix, "--ignore-scripts=false", ...options),
    ).not.toMatch(/script/);
  });

  it("is small, and carries what is needed at run time for both CPUs, and no more", () => {
    expect(statSync(join(folder, `async-teardown-${manifest.version}.tgz`)).size).toBeLessThan(1 << 20);
    expect(readdirSync(installed).sort()).toEqual(
      expect.arrayContaining(["CHANGELOG.md", "LICENSE", "README.md", "bin", "build", "dist", "docs"]),
    );
    for (const name of ["test", "bench", "src", "native", "node_modules"])
      expect(readdirSync(installed)).not.toContain(name);
    expect(readdirSync(join(installed, "build")).sort()).toEqual(["aarch64", "x86_64"]);
    for (const architecture of ["aarch64", "x86_64"])
      expect(readdirSync(join(installed, "build", architecture)).sort()).toEqual([
        "addon.node",
        "async-teardown",
        "async-teardown-holder",
        "libasync-teardown.so",
        "qemu-async-teardown",
      ]);
  });

  it("has the same files, byte for byte, wherever they are built", () => {
    const native = readdirSync(join(installed, nativeFolder)).map((name) => join(nativeFolder, name));
    const compiled = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" })
      .map((name) => join("dist", name))
      .filter((name) => name.endsWith(".js"));

    for (const name of [...native, ...compiled])
      expect(readFileSync(join(installed, name)).equals(readFileSync(join(root, name))), name).toBe(true);
  });

  it("names no path of the machine that built it", () => {
    for (const name of readdirSync(join(installed, "build"), { recursive: true, encoding: "utf8" })) {
      const file = join(installed, "build", name);
      if (!statSync(file).isFile()) continue;
      const bytes = readFileSync(file);

      for (const path of [clone, root]) expect(bytes.includes(path), name).toBe(false);
    }
  });

  describe.each(users)("below a path with a space, for %s", (_, as) => {
    const tool = (...words: string[]) => runToEnd([...as, command, ...words], { cwd: "/" });

    it("tells its version, and helps with every command", async () => {
      expect(await tool("--version")).toMatchObject({ exitCode: 0, stdout: manifest.version, stderr: "" });
      const { stdout: help } = await tool("--help");
      const lines = [...help.matchAll(/^ {2}([a-z][a-z-]+)(?= [[<]| {2}).*$/gm)];
      const commands = lines.map(([, name = ""]) => name).filter((name) => name !== "help");
      const answers = await Promise.all(commands.map((name) => tool(name, "--help")));

      expect(commands).toEqual(
        expect.arrayContaining(["run", "env", "attach", "detach", "ps", "wait", "doctor"]),
      );
      for (const [index, name] of commands.entries())
        expect(answers[index]).toMatchObject({
          exitCode: 0,
          stdout: expect.stringContaining(`Usage: async-teardown ${name}`),
        });
    });

    it("lists and waits", async () => {
      expect(await tool("ps", "--json")).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('"addressSpaces"'),
      });
      expect(await tool("ps")).toMatchObject({ exitCode: 0 });
      expect(await tool("wait", "--memory", "1M")).toMatchObject({ exitCode: 0, stderr: "" });
    });

    it("examines the machine", async () => {
      const { stdout, stderr } = await tool("doctor", "--json");
      const { checks } = JSON.parse(stdout) as { checks: { name: string; found: string }[] };

      expect(stderr).toBe("");
      expect(checks.find(({ name }) => name === "native-parts")?.found).toMatch(/LD_PRELOAD cannot name/);
    });

    it("says that LD_PRELOAD cannot name the path, where that is needed", async () => {
      for (const words of [["env"], ["run", "--mechanism", "helper", "--", "true"]])
        expect(await tool(...words)).toMatchObject({
          exitCode: 125,
          stdout: "",
          stderr: expect.stringMatching(/^async-teardown: .*LD_PRELOAD cannot name/),
        });
      expect(await tool("run", "--best-effort", "--mechanism", "helper", "--", "echo", "ran")).toMatchObject({
        exitCode: 0,
        stdout: "ran",
      });
    });
  });

  it.skipIf(noHolder)("holds from there, by run, attach and detach", async () => {
    const child = await startReady([program("hog"), String(64 << 20), "stay"]);

    for (const word of ["attach", "detach"])
      expect(await runToEnd([command, word, String(child.pid)])).toMatchObject({ exitCode: 0 });
    expect(await runToEnd([command, "run", "--", "echo", "ran"])).toMatchObject({
      exitCode: 0,
      stdout: "ran",
    });
  });

  it("is imported, with its types", async () => {
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    const source = [
      'import { AsyncTeardownError, type ErrorCode, errorCodes, list, protectSelf } from "async-teardown";',
      "const code: ErrorCode = 'ERR_USAGE';",
      "protectSelf();",
      "const { addressSpaces } = await list();",
      "const own = addressSpaces.find(({ target }) => target === process.pid);",
      "console.log(errorCodes[code].exitCode, AsyncTeardownError.name, own?.state);",
    ];
    writeFileSync(join(project, "use.ts"), source.join("\n"));
    const options = ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
    const types = ["--typeRoots", join(root, "node_modules/@types")];
    const tsc = join(root, "node_modules/.bin/tsc");

    expect(await runToEnd([tsc, ...options, ...types, "use.ts"], { cwd: project })).toMatchObject({
      exitCode: 0,
      stdout: "",
    });
    for (const [, as] of users)
      expect(await runToEnd([...as, process.execPath, join(project, "use.js")])).toMatchObject({
        exitCode: 0,
        stdout: "125 AsyncTeardownError protected",
      });
  });

  it.each(users)("runs by PATH where it is installed globally, for %s", async (_, as) => {
    const env = { PATH: `${join(prefix, "bin")}:${process.env.PATH}` };
    const script = ["sh", "-c", 'echo "$$ $LD_PRELOAD"; async-teardown ps --json'];
    const { pid, exitCode, stdout } = await runToEnd([...as, "async-teardown", "run", "--", ...script], {
      env,
    });
    const [own, ...listing] = stdout.split("\n");
    const { addressSpaces } = JSON.parse(listing.join("\n")) as { addressSpaces: { target: number }[] };

    expect(exitCode).toBe(0);
    expect(own).toMatch(new RegExp(`^${pid} ${prefix}/.*/libasync-teardown.so$`));
    expect(addressSpaces.map(({ target }) => target)).toContain(pid);
  });

  it("finds the Node.js beside the npm that installed it, and none that anybody could have put there", async () => {
    const stub = "#!/bin/sh\necho beside npm\n";
    const version = (native: string) => runToEnd([native, "--version"], { env: { PATH: clone } });

    mkdirSync(join(folder, "bin"));
    for (const place of [folder, prefix]) writeFileSync(join(place, "bin/node"), stub, { mode: 0o755 });
    const global = join(prefix, "lib/node_modules/async-teardown", nativeFolder, "async-teardown");

    expect(await version(global)).toMatchObject({ exitCode: 0, stdout: "beside npm" });
    // Five folders up as well, but not of an npm: a folder such as /tmp.
    expect(await version(join(installed, nativeFolder, "async-teardown"))).not.toMatchObject({
      stdout: "beside npm",
    });
  });
});
