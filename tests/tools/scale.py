#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Twice as many devices cost at most 2.3 times the processor time, of the command and the daemon together; four times as
many, that twice; and half as much again in case the machine is busy. Wall-clock time means little there. With --full
(`make scale`) also the figures for 10,000 devices, which have bars of their own.

In a session a tool's own time in user mode is told and not counted: lsblk looks through its list of devices for each one,
so its time grows with the square. For comparison it runs on the same tree of files without dmuse as well.
"""
import os
import plistlib
import resource
import subprocess
import sys
import tempfile
import time

from protocol_client import DMUSE, Daemon, same, works
from session_lacks import session_lacks

FULL = "--full" in sys.argv
SIZES = (5000, 10000) if FULL else (1000, 4000)
IN_SESSIONS = SIZES if FULL else (250, 1000)
MOST = 2.3 if FULL else 1.5 * 2.3 ** 2
BATCH = 100
TIMED = ["bash", "-c", 'TIMEFORMAT=%3U; time "$@"', "bash"]     # says the processor time in user mode at the end
BARS = {"ls --tree": 1, "lsblk in a session": 20}     # seconds


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
    """Half of them on a memory store each, and the other half on those."""
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
    lines = "\n".join(f"{8 * i} 8 linear memory,size=4096:w{i} 0" for i in range(5 * n))
    works(client.ask("create", name="wide", table=lines))
    works(client.ask("remove", name="wide"))


def disks(daemon, client, n):
    del daemon
    for command in "disk", "undisk":
        for first in range(0, n // 2, BATCH):
            for i in range(first, first + BATCH):
                client.send(client.message(command, name=f"sd{i}", file=f"memory,size=4096:s{i}"))
            for i in range(first, first + BATCH):
                works(plistlib.loads(client.receive()))


ALONE = {"a table of many memories": wide}
AMONG_DEVICES = {"ls --tree": command("ls", "--tree"), "info -c": command("info", "-c"),
                 "table --concise": command("table", "--concise"), "disks made and taken away": disks}


def tree(directory, n):
    """What lsblk reads of /sys with N devices."""
    at = os.path.join(directory, "sys/devices/virtual/block")
    for name in "sys/block", "sys/dev/block", "sys/class/block":
        os.makedirs(os.path.join(directory, name))
    for i in range(1, n + 1):
        device = f"{at}/dm-{i}"
        for name in "dm", "queue", "bdi", "holders", "slaves":
            os.makedirs(f"{device}/{name}")
        for name, text in ("hidden", "0"), ("dev", f"252:{i}"), ("size", "8"), ("dm/name", f"d{i}"):
            with open(f"{device}/{name}", "w", encoding="ascii") as f:
                f.write(text + "\n")
        os.symlink("../../../../class/block", f"{device}/subsystem")
        os.symlink(f"../devices/virtual/block/dm-{i}", f"{directory}/sys/block/dm-{i}")
        os.symlink(f"../../devices/virtual/block/dm-{i}", f"{directory}/sys/dev/block/252:{i}")


def lsblk(*words):
    return [*words, "lsblk", "-n", "-o", "NAME"]


def inside(daemon, *words):
    return [DMUSE, "exec", "--socket", daemon.path, "--", *words]


def alone(n):
    """Seconds of processor time that lsblk takes for such a tree."""
    with tempfile.TemporaryDirectory(prefix="dmuse-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as directory:
        tree(directory, n)
        before = children_time()
        out = subprocess.run([*lsblk(), "--sysroot", directory], stdout=subprocess.PIPE, check=True).stdout
        same(len(out.splitlines()), n, "lines of lsblk's")
        return children_time() - before


class Session:
    """A daemon with N devices, and what tools have cost in sessions of it, each time."""

    def __init__(self, n):
        self.n, self.daemon, self.used, self.own = n, Daemon(("--busy-poll", "0")), {}, {}
        client = self.daemon.client()
        for i in range(n):
            works(client.ask("create", name=f"d{i}", table="0 8 zero"))
        client.close()

    def cpu(self):
        return daemon_time(self.daemon.process.pid) + children_time()

    def run(self, name, words):
        """All but the tool's own time in user mode, where no code of dmuse runs."""
        cpu, clock = self.cpu(), time.monotonic()
        done = subprocess.run(inside(self.daemon, *TIMED, *words), capture_output=True, check=True)
        same(len(done.stdout.splitlines()) >= self.n, name == "lsblk", name)
        own = float(done.stderr.split()[-1])
        took = (self.cpu() - cpu - own, time.monotonic() - clock)
        what = f"{name} in a session"
        self.used.setdefault(what, []).append(took)
        self.own[name] = min(self.own.get(name, own), own)

    def end(self):
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.daemon.notify.close()
        self.daemon.directory.cleanup()


def turn_that_counts(few, many):
    """What grows with the square does so each time; a machine that is slower for a moment makes it look so in one turn."""
    best = {what: min(zip(few[what], many[what]), key=lambda pair: pair[1][0] / pair[0][0]) for what in few}
    return {what: pair[0] for what, pair in best.items()}, {what: pair[1] for what, pair in best.items()}


def in_sessions():
    """In turns: the machine may be slower at one time than at another."""
    few, many = Session(IN_SESSIONS[0]), Session(IN_SESSIONS[1])
    try:
        for _ in range(3):
            for session in few, many:
                session.run("lsblk", lsblk())
                session.run("vgs", ["vgs"])
        for session in few, many:
            for name, own in session.own.items():
                print(f"# {name} itself, with {session.n} devices, in user mode: {own:.2f} s more", flush=True)
            print(f"# lsblk, with {session.n} devices and without dmuse: {alone(session.n):.2f} s", flush=True)
    finally:
        few.end()
        many.end()
    return turn_that_counts(few.used, many.used)


def each(used, figures, daemon, client, n):
    for name, go in figures.items():
        for _ in range(5):
            cpu, clock = daemon_time(daemon.process.pid) + children_time(), time.monotonic()
            go(daemon, client, n)
            took = (daemon_time(daemon.process.pid) + children_time() - cpu, time.monotonic() - clock)
            used[name] = min(used.get(name, took), took)


def measure(n):
    """Seconds of processor time for each figure, and wall-clock time: the least of a few."""
    daemon, used = Daemon(("--busy-poll", "0")), {}
    try:
        client = daemon.client()
        each(used, ALONE, daemon, client, n)
        make(daemon, client, n)
        each(used, AMONG_DEVICES, daemon, client, n)
        client.close()
    finally:
        daemon.process.kill()
        daemon.process.wait()
        daemon.notify.close()
        daemon.directory.cleanup()
    return used


def report(number, what, sizes, few, many):
    """The growth; and with --full, the limits for processor time."""
    ratio, bar = many[0] / few[0], BARS.get(what) if FULL else None
    good = ratio <= MOST and (bar is None or many[0] < bar)
    print(f"{'ok' if good else 'not ok'} {number} - {what}: {few[0]:.2f} s ({few[1]:.2f} on the clock) with {sizes[0]} devices, "
          f"{many[0]:.2f} s ({many[1]:.2f}) with {sizes[1]}: {ratio:.1f} times{f'; under {bar} s' if bar else ''}", flush=True)


print(f"# processor time, {DMUSE}", flush=True)
results = [(SIZES, measure(SIZES[0]), measure(SIZES[1]))]
why = session_lacks()
if not why:
    results.append((IN_SESSIONS, *in_sessions()))
rows = [(what, sizes, few[what], many[what]) for sizes, few, many in results for what in few]
for number, row in enumerate(rows, 1):
    report(number, *row)
if why:
    print(f"ok {len(rows) + 1} - in sessions # SKIP {why}")
print(f"1..{len(rows) + bool(why)}")
