import { describe, expect, it } from "vitest";
import { missing } from "../support/component.js";
import { helperOf, isAlive, residentBytes, until } from "../support/proc.js";
import { ending, run, runToEnd, start, startReady } from "../support/start.js";

const noPython = missing("python3", "python3");

describe.skipIf(noPython)(`Python (${noPython ?? "it is there"})`, () => {
  it("multiprocessing, subprocesses and waiting for any child work, and only the main process is protected", async () => {
    const text = `
import multiprocessing, os, subprocess, sys
assert subprocess.run(["sh", "-c", "exit 5"]).returncode == 5
helper = "cleanup/%d" % os.getpid()
def living(p): # a zombie has no command line any more, and who ends meanwhile no file
    try: return open("/proc/%s/cmdline" % p).read() and open("/proc/%s/comm" % p).read().strip()
    except OSError: pass
names = [living(p) for p in os.listdir("/proc") if p.isdigit()]
assert names.count(helper) == 1, names
child = os.fork()
if child == 0:
    os._exit(6)
WALL = 0x40000000
assert os.waitpid(-1, WALL) == (child, 6 << 8)
try:
    os.waitpid(-1, WALL)
    sys.exit("a child that nobody started")
except ChildProcessError:
    pass
assert multiprocessing.get_context("spawn").Pool(2).map(abs, [-1, -2, -3]) == [1, 2, 3]
assert multiprocessing.get_context("fork").Pool(2).map(abs, [-1, -2, -3]) == [1, 2, 3]
sys.exit(42)
`;
    const { exitCode, stderr } = await runToEnd([...run, "python3", "-c", text]);
    expect([exitCode, stderr]).toEqual([42, ""]);
  });

  it("multiprocessing's workers are protected where their forks are followed", async () => {
    const text = `
import multiprocessing, os, signal, sys
def work(memory_is_there):
    memory = bytearray(os.urandom(1 << 20) * 64)
    memory_is_there.set()
    signal.pause()
def helper_of(pid):
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open("/proc/%s/comm" % p).read().strip() == "cleanup/%d" % pid: return int(p)
        except OSError: pass
memory_is_there = multiprocessing.get_context("fork").Event()
worker = multiprocessing.get_context("fork").Process(target=work, args=[memory_is_there])
worker.start()
memory_is_there.wait()
helper = helper_of(worker.pid)
os.kill(helper, signal.SIGSTOP)
os.kill(worker.pid, signal.SIGKILL)
worker.join()
print(helper, flush=True)
`;
    const child = start([...run.slice(0, 2), "--follow-forks", "--", "python3", "-c", text]);
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    expect(await ending(child)).toBe(0);
    const helper = Number(said);
    try {
      expect(residentBytes(helper)).toBeGreaterThan(64 << 20); // its parent has not waited for that
    } finally {
      process.kill(helper, "SIGCONT");
    }
    await until(() => !isAlive(helper), "its memory is back");
  });

  it("keeps its own handling of signals, and its traceback's exit code", async () => {
    const text =
      "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\nprint('ready', flush=True)\nsignal.pause()";
    const child = await startReady([...run, "python3", "-c", text]);
    const helper = helperOf(child.pid);

    child.kill("SIGTERM");
    expect(await ending(child)).toBe(9);
    await until(() => !isAlive(helper), "the helper is gone");
  });
});
