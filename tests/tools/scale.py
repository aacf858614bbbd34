#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Twice the devices cost at most 2.3 times the processor time, of the command and of the daemon together, and four times as
many that twice over, and half of it more in case that the machine is busy. Time on the clock says little there. With --full
(`make scale`) the figures of 10,000 devices.
"""
import os
import resource
import subprocess
import sys
import time

from protocol_client import DMUSE, Daemon, works

FULL = "--full" in sys.argv
SIZES = (5000, 10000) if FULL else (1000, 4000)
MOST = 2.3 if FULL else 1.5 * 2.3 ** 2
BATCH = 100


def daemon_time(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def children_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make(daemon, client, n):
    """Half of them on a memory each, and the other half on those."""
    del daemon
    for first in range(0, n, BATCH):
        for i in range(first, first + BATCH):
            below = f"memory,size=4096:m{i} 0" if i < n // 2 else f"d{i - n // 2} 0"
            client.send(client.message("create", name=f"d{i}", table=f"0 8 linear {below}"))
        for i in range(first, first + BATCH):
            client.receive()


def command(*words):
    def go(daemon, client, n):
        del client, n
        subprocess.run([DMUSE, *words, "--socket", daemon.path], stdout=subprocess.DEVNULL, check=True)
    return go


def wide(daemon, client, n):
    del daemon
    lines = "\n".join(f"{8 * i} 8 linear memory,size=4096:w{i} 0" for i in range(5 * n if FULL else 2 * n))
    works(client.ask("create", name="wide", table=lines))
    works(client.ask("remove", name="wide"))


FIGURES = {"ls --tree": command("ls", "--tree"), "info -c": command("info", "-c"), "table --concise": command("table", "--concise"),
           "a table of many memories": wide}


def measure(n):
    """Seconds of processor time for each figure, and on the clock: the least of three."""
    daemon, used = Daemon(("--busy-poll", "0")), {}
    try:
        client = daemon.client()
        make(daemon, client, n)
        for name, go in FIGURES.items():
            for _ in range(3):
                cpu, clock = daemon_time(daemon.process.pid) + children_time(), time.monotonic()
                go(daemon, client, n)
                took = (daemon_time(daemon.process.pid) + children_time() - cpu, time.monotonic() - clock)
                used[name] = min(used.get(name, took), took)
        client.close()
    finally:
        daemon.process.kill()
        daemon.process.wait()
        daemon.notify.close()
        daemon.folder.cleanup()
    return used


few, many = (measure(n) for n in SIZES)
print(f"# processor time (on the clock) with {SIZES[0]} and {SIZES[1]} devices, {DMUSE}")
for number, what in enumerate(FIGURES, 1):
    ratio = many[what][0] / few[what][0]
    print(f"{'ok' if ratio <= MOST else 'not ok'} {number} - {what}: {few[what][0]:.2f} s ({few[what][1]:.2f}), "
          f"{many[what][0]:.2f} s ({many[what][1]:.2f}): {ratio:.1f} times")
print(f"1..{len(FIGURES)}")
