import { describe, expect, it } from "vitest";
import { library, program } from "../support/paths.js";
import { helperOf, helpersOf, isAlive, until } from "../support/proc.js";
import { ending, hog, protect, runToEnd, start, startReady } from "../support/start.js";

const [EPERM, EAGAIN, ENOMEM, EINVAL, ENOSYS] = [1, 11, 12, 22, 38];

const asRoot = it.skipIf(process.getuid?.() !== 0);

/** Each call on the way to "armed", an errno that a kernel or a limit gives, and the words for it. */
const faults: [string, number, RegExp][] = [
  ["helper-stack", ENOMEM, /could not map the helper's stack \(ENOMEM: .*ulimit -v/],
  ["madvise", EINVAL, /could not prepare the helper's stack \(EINVAL/],
  ["clone", EAGAIN, /could not clone the helper \(EAGAIN: .*ulimit -u/],
  ["clone", EPERM, /could not clone the helper \(EPERM: .*seccomp/],
  ["clone-vm", EAGAIN, /could not clone the helper \(EAGAIN/],
  ["setsid", EPERM, /could not start a session/],
  ["chdir", EPERM, /could not move to \//],
  ["prctl", EINVAL, /could not set its name/],
  ["futex", ENOSYS, /could not wait on a priority-inheritance futex \(ENOSYS/],
];

/** The same with best effort: unprotected where it cannot be protected. */
const protectIfPossible = (words: readonly string[]) =>
  protect(words).map((word) => word.replace(/^(ASYNC_TEARDOWN=.*)strict:1/, "$1strict:0"));

const bash = (script: string, ...words: string[]) => ["bash", "-c", script, "bash", ...words];

describe.each(faults)("where %s is answered with errno %i", (call, errno, reason) => {
  // By a shell, because env itself needs some of the calls.
  const denying = ([, ...words]: string[]) => [
    ...[program("deny"), `${call}:${errno}`],
    ...["sh", "-c", 'export "$1" "$2"; shift 2; exec "$@"', "sh", ...words],
  ];

  it("the target does not start, and one line says why", async () => {
    const { exitCode, stdout, stderr } = await runToEnd(denying(protect([program("show")])));

    expect(exitCode).toBe(125);
    expect(stdout).toBe("");
    expect(stderr).toMatch(reason);
    expect(stderr.split("\n")).toHaveLength(1);
  });

  it("it runs with best effort, unprotected, with the line as a warning", async () => {
    const { exitCode, stdout, stderr, pid } = await runToEnd(denying(protectIfPossible([program("show")])));

    expect(exitCode).toBe(0);
    expect(stdout).toContain("children 0");
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/runs unprotected/);
    expect(stderr.split("\n")).toHaveLength(1);
    await until(() => !helpersOf(pid).some(isAlive), "no helper is left");
  });
});

describe("where the limit on processes is reached", () => {
  // The limit binds only those without privileges, who can read neither our files, perhaps, nor root's.
  it.skipIf(process.getuid?.() !== 0)(
    "a user's target does not start, and is told of the limit",
    async () => {
      const script =
        'd=$(mktemp -d) && chmod 755 "$d" && cp "$1" "$2" "$d" && cd "$d" && setpriv --reuid 61234 --regid 61234 --clear-groups prlimit --nproc=1 env LD_PRELOAD="$d"/libasync-teardown.so ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/strict:1 ./show; code=$?; rm -r "$d"; exit $code';
      const { exitCode, stderr } = await runToEnd(bash(script, library, program("show")));

      expect(exitCode).toBe(125);
      expect(stderr).toMatch(/could not clone the helper \(EAGAIN: .*ulimit -u/);
    },
  );
});

/** For bash: how many living helpers the shell itself has. A dead one that nobody reaped has no command line. */
const countOwnHelpers =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
  'n=0; for d in $(grep -lx "cleanup/$$" /proc/[0-9]*/comm 2>/dev/null); do grep -q . "${d%comm}cmdline" && n=$((n+1)); done; echo $n';

describe("a value of ASYNC_TEARDOWN", () => {
  it.each([
    ["of another process", "pid:0000000001/ns:0000000000/strict:1"],
    ["of another PID namespace", `pid:$$/ns:0000000007/strict:1`],
    ["that nobody wrote", "nonsense"],
    ["with an option from another version, of another process", "pid:0000000001/ns:0000000000/colour:blue"],
    ["that is cut short", "pid:00000"],
    ["without a namespace", "pid:0000000000/strict:1"],
  ])("%s leaves a process alone", async (_, value) => {
    const script = `v='${value}'; p=$(printf %010d $$)
      LD_PRELOAD=$1 ASYNC_TEARDOWN=\${v/\\$\\$/$p} exec bash -c '${countOwnHelpers}; :'`;
    const { exitCode, stdout, stderr } = await runToEnd(bash(script, library));

    expect([exitCode, stdout, stderr]).toEqual([0, "0", ""]);
  });

  it("of this process protects it", async () => {
    const script = `p=$(printf %010d $$)
      LD_PRELOAD=$1 ASYNC_TEARDOWN=ns:0000000000/workers:2/pid:$p exec bash -c '${countOwnHelpers}; :'`;
    expect((await runToEnd(bash(script, library))).stdout).toBe("1");
  });
});

describe("later images of a target, which cannot be protected", () => {
  it("run on, with a line each, and the next one is protected again", async () => {
    const subreaper = program("subreaper");
    const { exitCode, stdout, stderr } = await runToEnd(
      protect(bash('exec "$@"', subreaper, "env", subreaper, "bash", "-c", `${countOwnHelpers}; exit 4`)),
    );

    expect([exitCode, stdout]).toEqual([4, "1"]);
    const line = expect.stringMatching(
      /^async-teardown: process \d+ runs unprotected: could not .*subreaper/,
    );
    expect(stderr.split("\n")).toEqual([line, line]); // of env, and of the program that ends it
  });
});

describe("a field that another version may have written", () => {
  it.each(["colour:blue", "workers:0", "workers:65", "rate:7", "priority:high", "strict", "best-effort"])(
    "%s: a process that is to be protected does not start",
    async (field) => {
      const [env = "", preload = "", value = "", ...words] = protect(["echo", "hello"]);
      const { exitCode, stdout, stderr } = await runToEnd([env, preload, `${value}/${field}`, ...words]);

      expect([exitCode, stdout]).toEqual([125, ""]);
      expect(stderr).toMatch(
        new RegExp(`was not started, .*: could not understand '${field}' in ASYNC_TEARDOWN.*--best-effort`),
      );
    },
  );

  it("leaves one unprotected that may be", async () => {
    const value = "ASYNC_TEARDOWN=pid:0000000000/ns:0000000000/follow-forks:1";
    const { exitCode, stdout, stderr } = await runToEnd([
      "env",
      `LD_PRELOAD=${library}`,
      value,
      "echo",
      "hello",
    ]);

    expect([exitCode, stdout]).toEqual([0, "hello"]);
    expect(stderr).toMatch(/runs unprotected: could not understand 'follow-forks:1'/);
  });
});

describe("the children of a target", () => {
  it("are not protected, nor are theirs", async () => {
    // Each process looks for a helper of its own; only the first has one.
    const { stdout } = await runToEnd(
      protect(bash(`${countOwnHelpers}; bash -c '${countOwnHelpers}; :'; :`)),
    );

    expect(stdout.split("\n")).toEqual(["1", "0"]);
  });

  it("get the variables that name the target, so that they know themselves not meant", async () => {
    const { stdout, pid } = await runToEnd(protect(bash("env | grep ^ASYNC_TEARDOWN; :")));

    expect(stdout).toMatch(new RegExp(`^ASYNC_TEARDOWN=pid:0*${pid}/ns:\\d{10}/strict:0$`));
  });
});

describe("where a helper would be in the wrong place", () => {
  const show = protect([program("show")]);

  asRoot("a process whose children go to another PID namespace is not protected", async () => {
    const { exitCode, stderr } = await runToEnd(["unshare", "--pid", ...show]);

    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/children go to another PID namespace/);
  });

  asRoot("nor is the init of a PID namespace, which waits for all of its processes", async () => {
    const { exitCode, stderr } = await runToEnd(["unshare", "--pid", "--fork", "--mount-proc", ...show]);

    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/process 1 was not started.*it is the init of its PID namespace/);
  });

  it("nor is a subreaper, which would find the helper among its children", async () => {
    const { exitCode, stderr } = await runToEnd([program("subreaper"), ...show]);

    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/it is a subreaper/);
  });
});

describe("a helper that the kernel refuses something", () => {
  // Nothing of this is worth not to start for: it does without.
  it.each([
    ["a pidfd's poll", `ppoll:${EPERM}`],
    ["a sleep", `nanosleep:${EPERM}`],
    [
      "both, and to know whether others use the memory",
      `ppoll:${ENOSYS},nanosleep:${EPERM},unshare:${EPERM}`,
    ],
    ["another scheduling policy", `sched_setscheduler:${EPERM}`],
  ])("%s, still ends when its target does", async (_, denied) => {
    for (const way of ["exit", "main-ends", "stay"]) {
      const child = await startReady(protect([program("deny"), denied, ...hog(16 << 20, way)]));

      if (way === "stay") child.kill("SIGKILL");
      else child.stdin?.end();
      expect(await ending(child)).toBe({ exit: 7, "main-ends": 9, stay: "SIGKILL" }[way]);
      await until(() => !helpersOf(child.pid).some(isAlive), "the helper is gone");
    }
  });

  asRoot("the way back from SCHED_IDLE, still protects an idle target", async () => {
    const withoutNice = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
    const child = await startReady([...withoutNice, "chrt", "--idle", "0", ...protect(hog(0, "stay"))]);

    expect(isAlive(helperOf(child.pid))).toBe(true);
  });
});

describe("under a filter that kills", () => {
  // As units of systemd do, by what they are set to and their systemd's age; deny.c.
  it.each([
    ["what needs privileges", "capget:kill,capset:kill"],
    ["the scheduler's calls", "sched_setscheduler:kill,sched_setaffinity:kill,setpriority:kill"],
    ["seccomp(2)", "seccomp:kill"],
    [
      "calls that nobody knew then, on a kernel of the time",
      `pidfd_open:kill,close_range:kill,mdwe:${EINVAL}`,
    ],
    ["calls that nobody knows yet", "mseal:kill"],
  ])("for %s, a target is protected, and its memory given back", async (_, denied) => {
    const child = start([program("reaper"), program("deny"), denied, ...protect(hog(64 << 20, "exit"))]);
    const output: Buffer[] = [];

    child.stdout?.on("data", (data: Buffer) => output.push(data));
    await until(() => output.length > 0, "the hog is ready");
    child.stdin?.end();
    expect(await ending(child)).toBe(7);
    // The helper is the one orphan that is left; it ended as it should, not by a signal.
    expect(Buffer.concat(output).toString()).toMatch(/\n1 orphan: exit 0\n$/);
  });

  it.each([
    ["setsid", /could not start a session \(SIGSYS: .* 'SystemCallFilter=setsid' permits it\)/],
    ["chdir", /could not move to \/ \(SIGSYS: .* 'SystemCallFilter=chdir' permits it\)/],
    ["pidfd_open", /could not open a pidfd \(SIGSYS: .* 'SystemCallFilter=pidfd_open' permits it\)/],
    ["memfd_create", /could not make its record \(SIGSYS: /],
  ])("for %s, the target runs unprotected, and one line says what would help", async (call, reason) => {
    const { exitCode, stderr } = await runToEnd(protect([program("deny"), `${call}:kill`, program("show")]));

    expect([exitCode, stderr.split("\n").length]).toEqual([0, 1]);
    expect(stderr).toMatch(reason);
  });
});

describe("where nobody reads standard error", () => {
  it("a target that is to run with best effort runs", async () => {
    const words = protectIfPossible([program("deny"), "clone:1", "echo", "hello"]);
    const script = 'exec 2> >(exec true); sleep 0.2; "$@"; echo "$?"';
    const { stdout } = await runToEnd(bash(script, ...words));

    expect(stdout).toBe("hello\n0");
  });
});
