import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { noHolder } from "../support/holder.js";
import { asyncTeardown, library, program, target } from "../support/paths.js";
import { childrenOf, helperOf, helpersOf, holdersOf, isAlive, status, until } from "../support/proc.js";
import { ending, hog, run, runToEnd, start, startReady } from "../support/start.js";

const EAGAIN = 11;

const notRoot = process.getuid?.() !== 0;

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
    expect(stdout).toBe(`libutil.so.1:libdl.so.2:${library}`);
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

  it("a name that leads nowhere, by the exit code of env(1)", async () => {
    const links = join(folder, "links");
    // Of directories that everybody may search: env(1) has 126 where one may not be.
    const at = { env: { PATH: `/etc/passwd:${links}:/usr/bin:/bin` } };
    const tooLong = "x".repeat(256);

    mkdirSync(links);
    symlinkSync("loop", join(links, "loop"));
    for (const [command, code, reason] of [
      ["loop", 126, "too many levels of symbolic links"],
      [join(links, "loop"), 126, "too many levels of symbolic links"],
      [tooLong, 126, "file name too long"],
      [`${links}/${tooLong}`, 126, "file name too long"],
      ["x".repeat(5000), 126, "file name too long"],
      [`/${"x/".repeat(2100)}`, 126, "file name too long"],
      ["/etc/passwd/x", 126, "not a directory"],
      ["not-in-a-file", 127, "command not found"],
    ] as const) {
      const { exitCode, stderr } = await runToEnd([...run, command], at);
      expect([exitCode, (await runToEnd(["env", command], at)).exitCode]).toEqual([code, code]);
      expect(stderr).toContain(reason);
    }
  });

  const long = "x".repeat(6000);

  it.each([
    [[long], 126, "'xxx", "xxx...': file name too long"],
    [[`--${long}`], 125, "error: unknown option '--xxx", "xxx...'; see --help"],
    [["--priority", long, "true"], 125, "argument 'xxx", "xxx...' is invalid. Allowed choices are"],
  ])("a word too long to be printed whole (%#)", async (words, code, before, behind) => {
    const { exitCode, stderr } = await runToEnd([asyncTeardown, "run", ...words]);

    expect(exitCode).toBe(code);
    expect(stderr).toContain(before);
    expect(stderr).toContain(behind);
    expect(stderr.length).toBeLessThan(1500);
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

  it.skipIf(notRoot).each([
    ["a real user ID other than the effective one", ["--ruid", "61234"], "user"],
    ["a real group ID other than the effective one", ["--rgid", "61234"], "group"],
  ])("%s (125), which best effort runs, unprotected", async (_, change, id) => {
    const words = ["--mechanism", "helper", "sh", "-c", "echo ran $LD_PRELOAD"];
    const under = (...options: string[]) =>
      runToEnd(["setpriv", ...change, "--clear-groups", asyncTeardown, "run", ...options, ...words]);
    const why = `'/usr/bin/sh' cannot be protected by a helper: it would start with a real ${id} ID other than the effective one`;

    expect(await under()).toMatchObject({ exitCode: 125, stdout: "", stderr: expect.stringContaining(why) });
    expect(await under("--best-effort")).toMatchObject({
      exitCode: 0,
      stdout: "ran",
      stderr: expect.stringContaining(why),
    });
  });

  it.skipIf(notRoot)("a library on a mount with noexec, which no program could load (125)", async () => {
    const parts = join(folder, "noexec");
    const mount = `mkdir ${parts} && mount -t tmpfs none ${parts} && cp ${dirname(asyncTeardown)}/*teardown* ${parts} &&
      cp ${asyncTeardown} ${folder}/launcher && ln -s ${parts}/libasync-teardown.so ${folder} &&
      mount -o remount,noexec ${parts} && exec ${folder}/launcher run --mechanism helper true`;
    const { exitCode, stderr } = await runToEnd(["unshare", "--mount", "sh", "-c", mount]);

    expect(exitCode).toBe(125);
    expect(stderr).toMatch(
      /^async-teardown: '.*\/libasync-teardown.so' is on a mount with noexec, and no program can load it; install /,
    );
  });

  it.each([[[]], [["--"]], [["--no-such-option", "true"]]])("wrong usage: %j (125)", async (words) => {
    const { exitCode, stderr } = await runToEnd([asyncTeardown, "run", ...words]);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^async-teardown: error: /);
  });
});

/** A command by a shell that first does something to itself. */
const behind = (change: string, words: readonly string[]) => [
  "bash",
  "-c",
  `${change}; exec "$@"`,
  "bash",
  ...words,
];

describe("run starts wherever the command would", () => {
  const gone = join(folder, "gone");

  it.each([
    ["a limit on addresses", "ulimit -v 20000"],
    ["a limit on data", "ulimit -d 1000"],
    ["a small stack", "ulimit -s 32"],
    ["four descriptors", "ulimit -n 4"],
    ["a directory that is deleted", `mkdir ${gone} && cd ${gone} && rmdir ${gone}`],
    ["no Node.js in PATH", "PATH=/nowhere"],
    ["options for another Node.js", "export NODE_OPTIONS=--no-such-option"],
    ["descriptors that are closed", "exec <&-"],
    ["a file size of nothing, with nobody to read what is said", "trap '' XFSZ; ulimit -f 0"],
  ])("%s", async (_, change) => {
    const plain = await runToEnd(behind(change, ["/bin/sh", "-c", "echo ran"]));
    const script = "echo ran; case $ASYNC_TEARDOWN in pid:*/strict:0) ;; *) echo unprotected ;; esac";
    const { exitCode, stdout, stderr } = await runToEnd(behind(change, [...run, "/bin/sh", "-c", script]));

    expect([plain.exitCode, plain.stdout]).toEqual([0, "ran"]);
    expect([exitCode, stdout, stderr]).toEqual([0, "ran", plain.stderr]);
  });

  it("libraries of the target's: a libstdc++ that Node.js could not start with", async () => {
    writeFileSync(join(folder, "libstdc++.so.6"), "this is no library");
    const { stdout, stderr } = await runToEnd([...run, "echo", "ran"], { env: { LD_LIBRARY_PATH: folder } });
    expect([stdout, stderr]).toEqual(["ran", ""]);
  });

  it("memory that may never become executable (PR_SET_MDWE)", async () => {
    const python =
      "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execvp(sys.argv[1], sys.argv[1:])";
    const { exitCode, stdout, stderr } = await runToEnd(["python3", "-c", python, ...run, "echo", "ran"]);
    expect([exitCode, stdout, stderr]).toEqual([0, "ran", ""]);
  });

  it.skipIf(notRoot).each([
    ["no /proc", "umount -l /proc"],
    ["a /proc of processes alone", "mount -t proc -o subset=pid proc /proc"],
  ])("%s", async (_, change) => {
    symlinkSync(asyncTeardown, join(folder, `link-${change.slice(0, 1)}`));
    const inNamespace = ["unshare", "--mount", "bash", "-c", `${change} && cd "$0" && exec "$@"`, folder];

    // The launcher's own name is all that tells where the library is.
    for (const command of [asyncTeardown, `./link-${change.slice(0, 1)}`]) {
      const words = [command, "run", "--", "sh", "-c", "echo $LD_PRELOAD $ASYNC_TEARDOWN"];
      const { exitCode, stdout, stderr } = await runToEnd([...inNamespace, ...words]);
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/^\/.*\/libasync-teardown\.so pid:\d{10}\/ns:\d{10}\/strict:0$/);
    }
  });
});

describe.skipIf(noHolder)("run with a holder, where Node.js fails", () => {
  /** A machine whose Node.js is this shell script. */
  const nodeIs = (text: string) => {
    mkdirSync(join(folder, "broken"), { recursive: true });
    script("broken/node", `#!/bin/sh\n${text}\n`);
    return { env: { PATH: `${folder}/broken:${process.env.PATH}` } };
  };
  const byHolder = [asyncTeardown, "run", "--mechanism", "holder"];

  it.each([
    ["kill -ABRT $$", "Node.js was ended by signal 6; are the limits (ulimit -a) too low for it?"],
    ["echo much ado >&2; exit 77", "Node.js ended without a word"],
    ["echo async-teardown: no >&2; exit 1", "no"],
  ])("(%s) says so, and does not start the command", async (text, reason) => {
    const { exitCode, stdout, stderr } = await runToEnd([...byHolder, "echo", "hello"], nodeIs(text));
    expect([exitCode, stdout, stderr]).toEqual([125, "", `async-teardown: ${reason}`]);
  });

  it("waits for half a minute at most, does not start the command, and ends what hangs", async () => {
    const file = join(folder, "hanging");
    // The limit is that of one system call, which is over at once here.
    const words = [program("deny"), `rt_sigtimedwait:${EAGAIN}`, ...byHolder, "echo", "hello"];
    const { exitCode, stdout, stderr } = await runToEnd(words, nodeIs(`echo $$ >${file}; exec sleep 1000`));

    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(/^async-teardown: Node.js hung for 30 seconds and was ended; is the limit on /);
    // It may have been ended before it could write.
    const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    expect(pid !== 0 && isAlive(pid)).toBe(false);
  });

  it("does not take it for hung where its watcher was stopped, or frozen, for a while", async () => {
    const file = join(folder, "go-on");
    const { env } = nodeIs(`while [ ! -e ${file} ]; do sleep 0.01; done; exit 77`);
    const child = start([...byHolder, "echo", "hello"], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said = text(child.stderr as Readable);
    const watcher = () => childrenOf(child.pid)[0] ?? 0;

    await until(() => watcher() !== 0 && childrenOf(watcher()).length === 1, "Node.js runs");
    process.kill(watcher(), "SIGSTOP");
    await until(() => status(watcher()).State?.[0] === "T", "the watcher stands still");
    process.kill(watcher(), "SIGCONT");
    await until(() => status(watcher()).State?.[0] !== "T", "it goes on");
    writeFileSync(file, "");
    await ending(child);
    expect(await said).toBe("async-teardown: Node.js ended without a word\n");
  });

  it("starts it all the same with best effort", async () => {
    const words = [...byHolder, "--best-effort", "--", "sh", "-c", "echo hello; exit 4"];
    const { exitCode, stdout, stderr } = await runToEnd(words, nodeIs("exit 77"));

    expect([exitCode, stdout]).toEqual([4, "hello"]);
    expect(stderr).toBe("async-teardown: Node.js ended without a word; it runs unprotected");
  });

  it("lifts low limits for Node.js alone", async () => {
    const words = [...byHolder, "bash", "-c", "ulimit -n -v -s"];
    const { stdout, stderr } = await runToEnd(behind("ulimit -S -n 12 -v 500000 -s 100", words));
    expect([stdout.match(/\d+$/gm), stderr]).toEqual([["12", "500000", "100"], ""]);
  });

  it("leaves the command as it was: ignored and blocked signals, closed stdin, no child", async () => {
    const words = [program("show"), "x"];
    expect(await show([program("odd-start"), ...byHolder, ...words])).toEqual(
      await show([program("odd-start"), ...words]),
    );
  });

  it.each(["0<&- 2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])("holds where %s is closed", async (closed) => {
    const file = join(folder, "held-by");
    const held = `ls /proc/*/comm 2>/dev/null | while read f; do read name <$f && echo $name; done 2>/dev/null`;
    const words = [...byHolder, "--", "sh", "-c", `(${held} | grep -c "^cleanup/$$$") >${file} 2>&1`];
    const { exitCode } = await runToEnd(["sh", "-c", `exec "$@" ${closed}`, "sh", ...words]);

    expect([exitCode, readFileSync(file, "utf8")]).toEqual([0, "1\n"]);
  });

  it("holds once what is held already", async () => {
    const child = await startReady([...byHolder, "--", ...byHolder, "--", ...hog(0, "stay")]);
    expect(holdersOf(child.pid)).toHaveLength(1);
  });
});

describe("sanitizers and valgrind", () => {
  const build = (name: string, ...flags: string[]) =>
    runToEnd(["cc", ...flags, "-o", join(folder, name), target("subreaper.c")]);
  const asan = "-fsanitize=address";

  it("a program linked with AddressSanitizer runs, and is protected; its children are not told more", async () => {
    expect(await build("asan", asan)).toMatchObject({ exitCode: 0 });
    const words = [join(folder, "asan"), "sh", "-c", "echo $LD_PRELOAD; echo $ASAN_OPTIONS"];
    const { exitCode, stdout, stderr } = await runToEnd([...run, ...words], {
      env: { ASAN_OPTIONS: "detect_leaks=0" },
    });
    expect([exitCode, stdout]).toEqual([0, `${library}\ndetect_leaks=0:verify_asan_link_order=0`]);
    expect(stderr).toMatch(/^async-teardown: process \d+ runs unprotected: .*subreaper[^\n]*$/); // of sh
  });

  it("AddressSanitizer as it is preloaded for plugins stays the first library", async () => {
    const { stdout: runtime } = await runToEnd(["cc", "-print-file-name=libasan.so"]);
    const { exitCode, stdout, stderr } = await runToEnd([...run, "sh", "-c", "echo $LD_PRELOAD"], {
      env: { LD_PRELOAD: runtime, ASAN_OPTIONS: "detect_leaks=0" },
    });
    expect([exitCode, stdout, stderr]).toEqual([0, `${runtime}:${library}`, ""]);
  });

  it.each(["thread", "undefined", "leak"])("a program with the %s sanitizer runs", async (name) => {
    expect(await build(name, `-fsanitize=${name}`)).toMatchObject({ exitCode: 0 });
    expect(await runToEnd([...run, join(folder, name), "echo", "ran"])).toMatchObject({
      exitCode: 0,
      stdout: "ran",
    });
  });

  it("valgrind is left to a holder, or refused", async () => {
    script("valgrind", "#!/bin/sh\nexec echo ran");
    const words = ["--mechanism", "helper", join(folder, "valgrind"), "x"];
    const { exitCode, stdout, stderr } = await runToEnd([asyncTeardown, "run", ...words]);

    expect([exitCode, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(
      /'.*valgrind' cannot be protected by a helper: valgrind runs a program on a CPU of its own/,
    );
  });
});

const noValgrind = missing("valgrind", "valgrind");

describe.skipIf(noValgrind)(`a program under valgrind (${noValgrind ?? "it is there"})`, () => {
  it("runs without a helper, and is told so", async () => {
    const variables = [`LD_PRELOAD=${library}`, "ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/strict:1"];
    const words = ["env", ...variables, "valgrind", "-q", "--tool=none", "echo", "ran"];
    const { exitCode, stdout, stderr } = await runToEnd(words);

    expect([exitCode, stdout]).toEqual([0, "ran"]);
    expect(stderr).toMatch(
      /^async-teardown: process \d+ runs unprotected: could not start a helper: valgrind runs it on /,
    );
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
