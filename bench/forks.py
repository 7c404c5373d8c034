#!/usr/bin/env python3
"""What --follow-forks costs a fork, and what it gains a pool of workers. On a machine where nothing else runs:

  python3 bench/forks.py                              plain
  async-teardown run --follow-forks -- python3 bench/forks.py

Prints medians: until fork() has returned in the parent, until the child runs and is gone (it ends at once), and how
long the exit of a multiprocessing worker with 1 GiB in 4 KiB pages needs after a SIGKILL.
"""
import ctypes
import mmap
import multiprocessing
import os
import signal
import statistics
import time

ROUNDS = 300
WORKER_BYTES = 1 << 30
PR_SET_THP_DISABLE = 41
ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


def microseconds(seconds):
    return f"{statistics.median(seconds) * 1e6:.0f} us"


def fork_costs():
    returned, gone = [], []
    for _ in range(ROUNDS):
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            os._exit(0)
        returned.append(time.monotonic() - start)
        os.waitpid(child, 0)
        gone.append(time.monotonic() - start)
    return microseconds(returned), microseconds(gone)


def work(ready):
    memory = mmap.mmap(-1, WORKER_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for offset in range(0, WORKER_BYTES, mmap.PAGESIZE):
        memory[offset] = 1
    ready.release()
    time.sleep(600)


def worker_exit():
    context = multiprocessing.get_context("fork")
    ready = context.Semaphore(0)
    workers = [context.Process(target=work, args=[ready]) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        ready.acquire()
    ends = []
    for worker in workers:
        start = time.monotonic()
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        ends.append(time.monotonic() - start)
    return microseconds(ends)


returned, gone = fork_costs()
print(f"fork() in the parent: {returned}; until the child is gone: {gone}; a worker's exit, 1 GiB: {worker_exit()}")
