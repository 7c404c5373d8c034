#!/usr/bin/env python3
"""How soon what others wait for is free: a flock on a mapped file, and a busy mount, of a process with 4 GiB and 512 MiB
of shared memory that is killed. As root, from a built tree:

    bench/locks.py [ROUNDS]

Each figure is in milliseconds: the median, then the worst. "exit" is from the signal to the return of waitpid, the
others are from there on: what a plain exit frees on its way is below zero. "back" is when the last process that had the
memory is gone. The mount is tried for, again and again, and so is a little late.
"""
import ctypes
import fcntl
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = ROOT / "build" / platform.machine() / "async-teardown"
WAYS = {"plain": [], "protected": [LAUNCHER, "run", "--"]}
BYTES = 4 << 30
PR_SET_CHILD_SUBREAPER = 36
MNT_DETACH = 2
libc = ctypes.CDLL(None, use_errno=True)


def wait_for_lock(path, freed):
    with open(path, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        freed["lock"] = time.monotonic()


def wait_for_mount(mount, freed):
    while libc.umount2(mount.encode(), 0) != 0:
        time.sleep(0.0002)
    freed["mount"] = time.monotonic()


def one_round(way, program, folder):
    file, mount = f"{folder}/file", f"{folder}/mount"
    os.makedirs(mount, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "locks", mount], check=True)
    words = [*WAYS[way], program, file, f"{mount}/file", str(BYTES)]
    target = subprocess.Popen(words, stdout=subprocess.PIPE)
    freed = {}
    waiters = [
        threading.Thread(target=wait, args=(path, freed), daemon=True)
        for wait, path in ((wait_for_lock, file), (wait_for_mount, mount))
    ]
    try:
        if not target.stdout.readline():
            sys.exit("the target ended before it had its memory: is so much free?")
        for waiter in waiters:
            waiter.start()
        time.sleep(0.1)
        killed = time.monotonic()
        target.send_signal(signal.SIGKILL)
        target.wait()
        died = time.monotonic()
        for waiter in waiters:
            waiter.join()
    finally:
        target.kill()
        target.wait()
        libc.umount2(mount.encode(), MNT_DETACH)  # gone already, unless something failed
    try:
        while True:
            os.wait()  # the helper: this process is a subreaper
    except ChildProcessError:
        freed["back"] = time.monotonic()
    return {"exit": (died - killed) * 1000, **{name: (at - died) * 1000 for name, at in freed.items()}}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="async-teardown-") as folder:
        program = f"{folder}/locker"
        subprocess.run(["cc", "-O2", "-o", program, str(ROOT / "test/targets/locker.c")], check=True)
        results = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                results[way].append(one_round(way, program, folder))
    for way, all_rounds in results.items():
        figures = {name: [each[name] for each in all_rounds] for name in ("exit", "lock", "mount", "back")}
        print(way, *(f"{name} {statistics.median(f):.2f} {max(f):.2f}" for name, f in figures.items()), sep="  ")


main()
