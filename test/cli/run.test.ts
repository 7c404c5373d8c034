import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { asyncTeardown, program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, status, until } from "../support/proc.js";
import { hog, run, runToEnd, startReady } from "../support/start.js";

const folder = mkdtempSync(join(tmpdir(), "async-teardown-"));
afterAll(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** What test/targets/show.c printed, without the two variables that protect and the parent's number. */
function shown(output: string): string[] {
  const ours = ["LD_PRELOAD=", "ASYNC_TEARDOWN="].map(
    (name) => `variable ${Buffer.from(name).toString("hex")}`,
  );
  return output.split("\n").filter((line) => !ours.some((start) => line.startsWith(start)));
}

async function show(words: readonly string[]): Promise<string[]> {
  const file = join(folder, "shown");
  const { exitCode, stderr } = await runToEnd(words, { env: { SHOW_TO: file } });

  expect([exitCode, stderr]).toEqual([0, ""]);
  return shown(readFileSync(file, "latin1"));
}

describe("run", () => {
  it("is the command: same PID, protected", async () => {
    const child = await startReady([...run, ...hog(0, "stay")]);

    expect(status(child.pid).Name).toBe("hog");
    expect(isAlive(helperOf(child.pid))).toBe(true);
  });

  it("leaves arguments, environment, descriptors, signals, limits and directory as they were", async () => {
    const words = [program("show"), "", "two words", "--", "--help", "-n", "ünïcödé", "a\nb"];
    expect(await show([...run, ...words])).toEqual(await show(words));
  });

  it("leaves them so when they are odd: ignored, blocked and pending signals, closed stdin, low limits", async () => {
    const odd = program("odd-start");
    const words = [program("show"), "x"];
    const before = await show([odd, ...words]);

    expect(before).toContain("signal 10 default blocked 1 pending 1");
    expect(before).toContain("signal 17 ignored blocked 1 pending 0");
    expect(before.filter((line) => line.startsWith("fd 0"))).toEqual([]);
    expect(await show([odd, ...run, ...words])).toEqual(before);
  });

  it("hands on bytes that are no UTF-8, in arguments, in the command's own name and in PATH", async () => {
    const bytes = "\\344\\377";
    const make = `d="$2/$(printf '${bytes}')"; mkdir -p "$d"; cp "$1" "$d/$(printf 'show ${bytes}')"; export PATH="$d:$PATH"; shift 2; exec "$@" "$(printf 'show ${bytes}')" "$(printf '${bytes}')"`;
    const bash = (words: readonly string[]) => ["bash", "-c", make, "-", program("show"), folder, ...words];
    const before = await show(bash(["env"]));

    expect(before).toContain("argument 73686f7720e4ff");
    expect(before).toContain("argument e4ff");
    expect(await show(bash(run))).toEqual(before);
  });

  it("leaves a terminal as it was, in the foreground", async () => {
    const onTerminal = (words: readonly string[]) => ["script", "-qec", words.join(" "), "/dev/null"];
    const visible = (lines: string[]) => lines.filter((line) => /^(terminal|fd [012] )/.test(line));
    const before = visible(await show(onTerminal([program("show")])));

    expect(before).toHaveLength(6);
    expect(visible(await show(onTerminal([...run, program("show")])))).toEqual(
      before.map((line) =>
        expect.stringMatching(line.replace(/pts\/\d+/, "pts/\\d+").replaceAll("?", "\\?")),
      ),
    );
  });

  it("passes standard input, output and error through", async () => {
    const { exitCode, stdout, stderr } = await runToEnd([...run, "sh", "-c", "cat; echo wrong >&2; exit 3"], {
      input: "through and through",
    });
    expect([exitCode, stdout, stderr]).toEqual([3, "through and through", "wrong"]);
  });

  it("ends with every exit code that the command ends with", { timeout: 120_000 }, async () => {
    const codes = Array.from({ length: 256 }, (_, code) => code);
    const seen: (number | undefined)[] = [];

    for (const code of codes) seen.push((await runToEnd([...run, "sh", "-c", `exit ${code}`])).exitCode);
    expect(seen).toEqual(codes);
  });

  it("dies of every signal that the command dies of", { timeout: 120_000 }, async () => {
    const stopping = ["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"];
    const signals = Object.entries(constants.signals).filter(([name]) => !stopping.includes(name));

    for (const [, number] of signals) {
      const words = ["sh", "-c", `kill -${number} $$; exit 5`];
      const plain = await runToEnd(words);
      const { exitCode, signal } = await runToEnd([...run, ...words]);
      expect([exitCode, signal]).toEqual([plain.exitCode, plain.signal]);
    }
  });

  it("keeps a script protected that ends in exec", async () => {
    const path = script("start.sh", `#!/bin/sh\ntrue\nexec ${program("hog")} 0 stay\n`);
    const child = await startReady([...run, path]);

    expect(status(child.pid).Name).toBe("hog");
    await until(() => helpersOf(child.pid).filter(isAlive).length === 1, "only the last helper is left");
  });

  it("finds a command as a shell does: by PATH, by path, as a link, and as a script without a first line", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    symlinkSync("/bin/echo", join(bin, "by-link"));
    writeFileSync(join(bin, "no-first-line"), "echo as a script: $0 $1\n", { mode: 0o755 });
    const at = { env: { PATH: `/nowhere:${bin}:${process.env.PATH}` } };

    expect((await runToEnd([...run, "by-link", "hello"], at)).stdout).toBe("hello");
    expect((await runToEnd([...run, "./bin/by-link", "hello"], { cwd: folder })).stdout).toBe("hello");
    expect((await runToEnd([...run, "no-first-line", "x"], at)).stdout).toBe(
      `as a script: ${bin}/no-first-line x`,
    );
  });

  it("lets a script know its name as it was called", async () => {
    script("name.sh", '#!/bin/sh\necho "$0"\n');
    expect((await runToEnd([...run, "./name.sh"], { cwd: folder })).stdout).toBe("./name.sh");
    expect(
      (await runToEnd([...run, "name.sh"], { cwd: folder, env: { PATH: `:${process.env.PATH}` } })).stdout,
    ).toBe("name.sh");
  });

  it("keeps what else is preloaded", async () => {
    const { stdout } = await runToEnd([...run, "sh", "-c", 'echo "$LD_PRELOAD"'], {
      env: { LD_PRELOAD: "libutil.so.1 libdl.so.2" },
    });
    expect(stdout).toMatch(/^\/.*\/libasync-teardown\.so:libutil\.so\.1:libdl\.so\.2$/);
  });

  it("may be run under itself", async () => {
    const child = await startReady([...run, ...run, ...hog(0, "stay")]);
    await until(() => helpersOf(child.pid).filter(isAlive).length === 1, "only the last helper is left");
  });

  it("needs no tool of the target's: not a PATH, and not the Node.js options meant for the target", async () => {
    expect((await runToEnd(["env", "-i", ...run, "/bin/echo", "hello"], { extendEnv: false })).stdout).toBe(
      "hello",
    );
    const { stdout } = await runToEnd([...run, "sh", "-c", "echo $NODE_OPTIONS"], {
      env: { NODE_OPTIONS: "--inspect-brk=0 --no-such-option" },
    });
    expect(stdout).toBe("--inspect-brk=0 --no-such-option");
  });
});

describe("run refuses, with the reason and what to do", () => {
  it.each([
    ["no-such-command", 127, /^async-teardown: 'no-such-command': command not found$/],
    ["", 127, /^async-teardown: '': command not found$/],
    ["./nowhere/x", 127, /command not found$/],
    ["/etc/passwd", 126, /permission denied$/],
    ["/", 126, /is a directory$/],
  ])("'%s' (%i)", async (command, code, reason) => {
    const { exitCode, stderr } = await runToEnd([...run, command]);
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(reason);
  });

  it("what lies in a directory that may not be searched: by path (126), but not in PATH (127)", async () => {
    const closed = join(folder, "closed");
    mkdirSync(closed, { mode: 0 });
    // Root searches every directory, unless without the capabilities for it.
    const withoutThem =
      process.getuid?.() === 0 ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : [];
    const at = { env: { PATH: `${closed}:${process.env.PATH}` } };

    expect((await runToEnd([...withoutThem, ...run, join(closed, "x")], at)).exitCode).toBe(126);
    expect((await runToEnd([...withoutThem, ...run, "no-such-command"], at)).exitCode).toBe(127);
  });

  it("a FIFO, rather than wait for its writer (126)", async () => {
    await runToEnd(["mkfifo", "--mode=777", join(folder, "fifo")]);
    expect((await runToEnd([...run, join(folder, "fifo")])).exitCode).toBe(126);
  });

  it("a script whose interpreter is missing (127)", async () => {
    const { exitCode, stderr } = await runToEnd([...run, script("orphan", "#!/no/such/interpreter\n")]);
    expect(exitCode).toBe(127);
    expect(stderr).toMatch(/'\/no\/such\/interpreter': command not found/);
  });

  it.each([[[]], [["--"]], [["--no-such-option", "true"]]])("wrong usage: %j (125)", async (words) => {
    const { exitCode, stderr } = await runToEnd([asyncTeardown, "run", ...words]);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^async-teardown: error: /);
  });
});

describe("run without a planner", () => {
  /** A machine whose Node.js is this shell script. */
  const nodeIs = (text: string) => {
    mkdirSync(join(folder, "broken"), { recursive: true });
    script("broken/node", `#!/bin/sh\n${text}\n`);
    return { env: { PATH: `${folder}/broken:${process.env.PATH}` } };
  };

  it.each([
    ["kill -ABRT $$", "its planner (Node.js) was ended by signal 6 (Aborted)"],
    [
      "exec sleep 1000",
      "its planner (Node.js) hung for 30 seconds and was ended; is the limit on processes (ulimit -u) too low for its threads?",
    ],
    ["exit 77", "its planner (Node.js) failed with exit code 77 and made no plan"],
    ["exit 0", "its planner (Node.js) failed with exit code 0 and made no plan"],
    ["exit 127", "its planner (Node.js) failed with exit code 127 and made no plan"],
  ])("(%s) says so, and does not start the command", async (text, reason) => {
    const { exitCode, stdout, stderr } = await runToEnd([...run, "echo", "hello"], nodeIs(text));
    expect([exitCode, stdout, stderr]).toEqual([125, "", `async-teardown: ${reason}`]);
  });

  it("starts it all the same with best effort", async () => {
    const words = [asyncTeardown, "run", "--best-effort", "--", "sh", "-c", "echo hello; exit 4"];
    const { exitCode, stdout, stderr } = await runToEnd(words, nodeIs("exit 77"));

    expect([exitCode, stdout]).toEqual([4, "hello"]);
    expect(stderr).toMatch(/failed with exit code 77 .*\nasync-teardown: runs 'sh' unprotected$/);
  });

  it("is not what low limits for the command lead to", async () => {
    const script = 'ulimit -S -n 12; ulimit -S -v 500000; exec "$@"';
    const { stdout } = await runToEnd(["bash", "-c", script, "-", ...run, "bash", "-c", "ulimit -n -v"]);
    expect(stdout.match(/\d+$/gm)).toEqual(["12", "500000"]);
  });
});

describe("what reads run's output", () => {
  it("may go away: help into a closed pipe is no crash", async () => {
    const { stdout, stderr } = await runToEnd([
      "bash",
      "-c",
      `${asyncTeardown} run --help | true; echo done`,
    ]);
    expect([stdout, stderr]).toEqual(["done", ""]);
  });

  it("is told when a disk is full", async () => {
    const { exitCode, stderr } = await runToEnd(["bash", "-c", `${asyncTeardown} env > /dev/full`]);
    expect([exitCode, stderr]).toEqual([125, "async-teardown: standard output cannot be written (ENOSPC)"]);
  });
});
