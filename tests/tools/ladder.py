#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Two devices on each of 36 levels, each mapped to both of the level below: a flush of the top flushes each only once.
"""
import json
import os
import signal
import subprocess
import time

import nbd

from protocol_client import DMUSE, Wrong, run, same, works

LEVELS = 36
QUICK = 1           # seconds: a few milliseconds if it goes each way once, and hours if it goes all of them
tests = []


def test(f):
    tests.append(f)
    return f


def ladder(daemon, client):
    daemon.image("disk", 16)
    below = None
    for level in range(LEVELS + 1):
        for side in "ab":
            where = (f"{below[0]} 0", f"{below[1]} 8") if below else (f"disk {8 * (side == 'b')}",) * 2
            works(client.ask("create", name=f"{side}{level}", cwd=daemon.directory.name,
                             table=f"0 8 linear {where[0]}\n8 8 linear {where[1]}" if below else f"0 16 linear disk 0"))
        below = (f"a{level}", f"b{level}")
    return below[0]


def quickly(what, go, times=5):
    """
    The fastest of a few, because others use the machine as well; one way too many is noticed at once, because their
    number doubles with each level.
    """
    best = None
    for _ in range(times):
        began = time.monotonic()
        go()
        took = time.monotonic() - began
        best = took if best is None else min(best, took)
        if took > 5:
            break
    print(f"# {what}: {best * 1000:.2f} ms")
    if best > QUICK:
        raise Wrong(f"{what} took {best * 1000:.1f} ms")


@test
def a_flush_over_NBD(d, c):
    top = ladder(d, c)
    h = nbd.NBD()
    h.set_export_name(top)
    h.connect_unix(os.path.join(d.directory.name, "nbd"))
    h.pwrite(b"x" * 8192, 0)
    quickly("flush", h.flush)
    h.shutdown()


@test
def a_flush_through_FUSE(d, c):
    top = ladder(d, c)
    place = os.path.join(d.directory.name, "files")
    os.mkdir(place)
    done = subprocess.run([DMUSE, "mount", "--socket", d.path, place], capture_output=True, text=True)
    if done.returncode:
        return f"no mount here: {done.stderr.strip()}"
    fd = os.open(os.path.join(place, top), os.O_RDWR)
    try:
        quickly("fsync", lambda: (os.pwrite(fd, b"y" * 4096, 0), os.fsync(fd)))
    finally:
        os.close(fd)
        subprocess.run([DMUSE, "umount", "--socket", d.path, place], check=True)


@test
def suspend_and_resume(d, c):
    top = ladder(d, c)
    quickly("suspend and resume", lambda: (works(c.ask("suspend", name=top)), works(c.ask("resume", name=top))))


@test
def the_tree_of_it(d, c):
    """2^36 paths: in a large tree, what was drawn already is not drawn again."""
    ladder(d, c)
    for more in (), ("-o", "inverted"), ("-o", "compact,ascii"), ("--json",):
        done = subprocess.run([DMUSE, "ls", "--tree", "--socket", d.path, *more], capture_output=True, text=True, timeout=60)
        same(done.returncode, 0, f"ls --tree {more}")
        if "--json" in more:
            trees = json.loads(done.stdout)
            same([t["name"] for t in trees], [f"a{LEVELS}", f"b{LEVELS}"], "roots")
            same('"again": true' in done.stdout, True, "again")
            continue
        lines = done.stdout.splitlines()
        if not 300 < len(lines) < 1500:
            raise Wrong(f"ls --tree {more} has {len(lines)} lines")
        if not any(line.endswith(" ...") for line in lines):
            raise Wrong(f"ls --tree {more} does not say where it leaves something out")
        for level in range(LEVELS + 1):
            for side in "ab":
                if not any(f"{side}{level} (" in line for line in lines):
                    raise Wrong(f"ls --tree {more} leaves {side}{level} out")


@test
def a_stack_that_is_deep(d, c):
    """4,000 devices, each on the one before: all of them are drawn, and shown in the order in which they can be created."""
    names = [f"d{3999 - i:04}" for i in range(4000)]
    for i, name in enumerate(names):
        works(c.ask("create", name=name, table=f"0 8 linear {names[i - 1]} 0" if i else "0 8 zero"))
    for more in (), ("-o", "inverted"), ("-o", "compact,ascii"):
        done = subprocess.run([DMUSE, "ls", "--tree", "--socket", d.path, *more], capture_output=True, text=True, timeout=60)
        same(done.returncode, 0, f"ls --tree {more}")
        lowest, highest = (f"{name} (" in done.stdout for name in (names[0], names[-1]))
        same((done.stdout.count(" ("), lowest, highest), (len(names), True, True), f"devices that ls --tree {more} draws")
    done = subprocess.run([DMUSE, "ls", "--tree", "--json", "--socket", d.path], capture_output=True, text=True, timeout=60)
    at, depth = json.loads(done.stdout)[0], 0
    while at["uses"]:
        at, depth = at["uses"][0], depth + 1
    same((depth, at.get("deeper")), (64, True), "levels of ls --tree --json, and whether it says that there are more")
    done = subprocess.run([DMUSE, "table", "--concise", "--socket", d.path], capture_output=True, text=True, timeout=60)
    same([line.split(",")[0] for line in done.stdout.split(";")], names, "their tables, the lowest first")


@test
def SIGTERM_while_clients_flush(d, c):
    """A daemon of its own, which ends while its io threads are busy."""
    from protocol_client import Daemon
    other = Daemon(("--nbd-socket", "nbd", "--io-threads", "1"))
    try:
        client = other.client()
        h = nbd.NBD()
        h.set_export_name(ladder(other, client))
        h.connect_unix(os.path.join(other.directory.name, "nbd"))
        cookies = [h.aio_flush() for _ in range(64)]
        other.process.send_signal(signal.SIGTERM)
        same(other.process.wait(5), 0, "the daemon's exit status")
        del cookies
        client.close()
    finally:
        other.process.kill()
        other.process.wait()
        other.notify.close()
        other.directory.cleanup()


run(tests, ("--nbd-socket", "nbd"))
