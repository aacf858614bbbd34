#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
A daemon with 1,024 descriptors and 1,100 clients that send nothing, or that read nothing; its owner's commands are
answered.
"""
import contextlib
import os
import re
import resource
import socket
import struct
import subprocess
import time

from protocol_client import DMUSE, Daemon, Wrong, same, works

SILENT, GREEDY, MIB = 1100, 40, 1 << 20
tests = []


def test(f):
    tests.append(f)
    return f


@contextlib.contextmanager
def daemon(descriptors=1024, *options):
    own = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (own, own))
    d = Daemon(("--nbd-socket", "nbd", *options), descriptors)
    try:
        yield d
    finally:
        d.process.kill()
        d.process.wait()
        d.notify.close()
        d.directory.cleanup()


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s


def shut_down(d):
    """It waits for nobody: not for a handshake (10 s), nor for requests (6 s)."""
    began = time.monotonic()
    done = subprocess.run([DMUSE, "shutdown", "--socket", d.path], capture_output=True, text=True, timeout=60)
    took = time.monotonic() - began
    print(f"# shutdown: {took:.2f} s")
    said = [line for line in done.stderr.splitlines() if "cut off: " not in line]    # which ones depends on who got in
    same((done.returncode, said), (0, []), "shutdown")
    same(d.process.wait(60), 0, "the daemon's exit status")
    if took > 5:
        raise Wrong(f"shutdown took {took:.1f} s")


@test
def silent_NBD_clients():
    with daemon() as d:
        silent = [connect(os.path.join(d.directory.name, "nbd")) for _ in range(SILENT)]
        shut_down(d)
        del silent


@test
def silent_control_clients():
    with daemon() as d:
        silent = [connect(d.path) for _ in range(SILENT)]
        shut_down(d)
        del silent


@test
def clients_of_both_kinds_and_files():
    """Files use the descriptors as well: none is left except the reserved ones."""
    with daemon(256) as d:
        client = d.client()
        silent = [connect(os.path.join(d.directory.name, "nbd")) for _ in range(SILENT)]
        made = 0
        while client.ask("create", name=f"d{made}", cwd=d.directory.name,
                         table=f"0 8 linear {d.image(f'f{made}', 8)} 0")["errno"] == 0:
            made += 1
        client.close()
        shut_down(d)
        del silent


def anonymous(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"RssAnon:\s+(\d+) kB", f.read())[1]) << 10


def nbd_open(path, name):
    s = connect(path)
    s.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name.encode())
    need = 18 + 10
    while need:
        need -= len(s.recv(need))
    return s


@test
def clients_that_do_not_read():
    with daemon() as d:
        works(d.client().ask("create", name="d", table="0 2097152 zero"))
        clients = [nbd_open(os.path.join(d.directory.name, "nbd"), "d") for _ in range(GREEDY)]
        for c in clients:
            c.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                c.send(b"".join(struct.pack(">IHHQQI", 0x25609513, 0, 0, i, 0, MIB) for i in range(64)))
        last, quiet = 0, 0
        while quiet < 5:        # until it takes no more
            time.sleep(0.02)
            now = anonymous(d.process.pid)
            quiet = quiet + 1 if now == last else 0
            last = now
        print(f"# {GREEDY} clients that do not read: {last / MIB:.0f} MiB")
        if last > 256 * 1000000:
            raise Wrong(f"{last} bytes")
        with contextlib.closing(nbd_open(os.path.join(d.directory.name, "nbd"), "d")) as good:
            good.settimeout(60)
            good.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 0, 7, 0, 4096))
            need = 16 + 4096
            while need:
                need -= len(good.recv(need))
        for c in clients:
            c.close()
        shut_down(d)


for number, one in enumerate(tests, 1):
    try:
        one()
        print(f"ok {number} - {one.__name__.replace('_', ' ')}")
    except (Wrong, OSError, subprocess.SubprocessError) as e:
        print(f"not ok {number} - {one.__name__.replace('_', ' ')}\n#   {type(e).__name__}: {e}")
print(f"1..{len(tests)}")
