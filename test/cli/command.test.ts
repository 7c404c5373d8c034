/** bin/async-teardown: what npm links as the command. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { program, root } from "../support/paths.js";
import { runToEnd } from "../support/start.js";

const { EAGAIN } = constants.errno;
const command = join(root, "bin/async-teardown");

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a shell could lose, change or execute. */
const environment = {
  PATH: "/usr/bin:/bin",
  "spring.datasource.url": "jdbc:x",
  "BASH_FUNC_f%%": "() {  echo \"$x\" 'y'\n}",
  TEXT: "it's a \\n $(id) `id` * %s \x01\x7f é\n",
  "-n": "--",
  package: "mine",
  launcher: "mine",
  IFS: "x",
  EMPTY: "",
};

const shells = [["sh"], ["bash"], ["dash"], ["busybox", "sh"]];
const isThere = async ([shell = ""]: string[]) => (await runToEnd(["which", shell])).exitCode === 0;
const there = await Promise.all(shells.map(isThere));

describe.each(shells.filter((_, index) => there[index]))("the command by %s", (...shell) => {
  const words = async (...target: string[]) => {
    const [name = "", ...options] = shell;
    const { stdout: path } = await runToEnd(["which", name]);

    return [path, ...options, command, "run", "--best-effort", "--", ...target];
  };

  async function environmentBehind(env: NodeJS.ProcessEnv) {
    const target = ["/bin/cat", "/proc/self/environ"];
    const { stdout } = await runToEnd(await words(...target), { env, extendEnv: false });

    return stdout.split("\0").filter((each) => each !== "" && !/^(LD_PRELOAD|ASYNC_TEARDOWN)=/.test(each));
  }

  it("hands on the environment byte for byte", async () => {
    const entries = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    expect((await environmentBehind(environment)).sort()).toEqual(entries.sort());
  });

  it("hands on descriptors, and leaves closed what is closed", async () => {
    const target = await words("sh", "-c", "cat <&3; exec ls /proc/self/fd");
    const open = async (...command: string[]) =>
      (await runToEnd(["bash", "-c", 'exec "$@" 3<<<hello 5<&-', "bash", ...command])).stdout;

    expect(await open(...target)).toBe(await open(...target.slice(-3)));
  });

  it("adds nothing to an environment that is empty", async () => {
    expect(await environmentBehind({})).toEqual([]);
  });
});

it("hands on the arguments as they are", async () => {
  const words = ["", "a b", "*", "'", '"', "-n", "--", "\n", "$(id)", "\\"];
  const print = ["sh", "-c", `printf '%s|' "$@"`, "sh", ...words];
  const { stdout } = await runToEnd([command, "run", "--best-effort", "--", ...print]);

  expect(stdout).toBe(words.map((word) => `${word}|`).join(""));
});

it("is found whatever links lead to it", async () => {
  const deep = join(folder, "a folder", "of links");

  mkdirSync(deep, { recursive: true });
  symlinkSync(command, join(folder, "absolute"));
  symlinkSync("../../absolute", join(deep, "relative"));
  symlinkSync(relative(folder, join(deep, "relative")), join(folder, "async-teardown"));
  for (const words of [
    [join(folder, "async-teardown")],
    ["a folder/of links/relative"],
    ["async-teardown"],
  ]) {
    const options = { cwd: folder, env: { PATH: `${folder}:${process.env.PATH}` } };
    expect(await runToEnd([...words, "--version"], options)).toMatchObject({ exitCode: 0, stderr: "" });
  }
});

it("finds the Node.js that built it where PATH has none", async () => {
  const options = { env: { PATH: folder } };
  expect(await runToEnd([command, "--version"], options)).toMatchObject({ exitCode: 0, stderr: "" });
});

it("becomes the command, with its PID", async () => {
  const { pid, stdout } = await runToEnd([command, "run", "--best-effort", "--", "sh", "-c", "echo $$"]);
  expect(stdout).toBe(String(pid));
});

it("says in one sentence that there is no native part for this CPU", async () => {
  mkdirSync(join(folder, "package/bin"), { recursive: true });
  copyFileSync(command, join(folder, "package/bin/async-teardown"));
  chmodSync(join(folder, "package/bin/async-teardown"), 0o755);
  const { exitCode, stderr } = await runToEnd([join(folder, "package/bin/async-teardown"), "--version"]);

  expect(exitCode).toBe(125);
  expect(stderr).toMatch(/^async-teardown: has no native part for this CPU, \w+: '[^\n]+' is no program$/);
});

describe("where programs that the script needs do not start", () => {
  const script = "echo $MINE; case $ASYNC_TEARDOWN in pid:*/strict:0) echo protected ;; esac";
  const words = [command, "run", "--", "/bin/sh", "-c", script];

  // Which of them crashes is up to chance: the kernel begins every stack elsewhere.
  it.each([24, 32])("it keeps the environment, and protects (a stack of %i KiB)", async (kib) => {
    const options = { env: { PATH: "/usr/bin:/bin", MINE: "mine" }, extendEnv: false };
    const limited = ["/bin/sh", "-c", `ulimit -s ${kib}; exec "$@"`, "sh", ...words];

    expect(await runToEnd(limited, options)).toMatchObject({
      exitCode: 0,
      stdout: "mine\nprotected",
      stderr: "",
    });
  });

  it.each(["od", "tr", "sed"])("it keeps the environment, and protects (%s crashes)", async (name) => {
    const programs = join(folder, `without-${name}`);

    mkdirSync(programs);
    writeFileSync(join(programs, name), "#!/bin/sh\nkill -SEGV $$\n", { mode: 0o755 });
    const options = { env: { PATH: `${programs}:/usr/bin:/bin`, MINE: "mine" }, extendEnv: false };

    expect(await runToEnd(words, options)).toMatchObject({
      exitCode: 0,
      stdout: "mine\nprotected",
      stderr: "",
    });
  });

  it("it says which program to name, where the shell may not fork", async () => {
    const { exitCode, stdout, stderr } = await runToEnd([program("deny"), `clone:${EAGAIN}`, ...words]);

    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(
      /^async-teardown: [^\n]+ build\/<architecture>\/async-teardown; [^\n]+ name that program itself$/m,
    );
  });
});
