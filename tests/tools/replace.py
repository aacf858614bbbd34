#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
dmuse daemon --replace: another program takes the daemon's place, with its devices and its clients. The other program is the
same one here; what it gets is the state, the sockets, and what clients have sent and not been answered.
"""
import ctypes
import fcntl
import os
import plistlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

from protocol_client import DMUSE, Wrong, same
from session_lacks import session_lacks

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kill"))
from control import Control     # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
MIB = 1 << 20
PYTHON = "/usr/bin/python3"     # the distribution's, which has libnbd
READ, WRITE, DISC, FLUSH = range(4)
tests = []


def test(f):
    tests.append(f)
    return f


class Replaced:
    """A daemon in a run directory of its own."""

    def __init__(self, *options):
        self.directory = tempfile.TemporaryDirectory(prefix="dmuse-")
        self.control = os.path.join(self.directory.name, "control")
        self.options = options
        self.run("daemon", *options)

    def run(self, *words, program=DMUSE, code=0):
        done = subprocess.run([program, words[0], "--socket", self.control, *words[1:]], capture_output=True, text=True,
                              check=False, timeout=120, cwd=self.directory.name)
        if done.returncode != code:
            raise Wrong(f"{words}: exit code {done.returncode}: {done.stderr}{self.log()}")
        return done.stdout if code == 0 else done.stderr

    def log(self):
        with open(os.path.join(self.directory.name, "log"), encoding="utf-8") as f:
            return f.read()

    def pid(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.control)
        pid = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        s.close()
        return pid

    def file(self, name, size):
        path = os.path.join(self.directory.name, name)
        with open(path, "wb") as f:
            f.truncate(size)
        return path

    def ask(self, **keys):
        control = Control(self.control)
        answer = control.ask(identity=False, **keys)
        control.close()
        return answer

    def replace(self, **keys):
        return self.run("daemon", "--replace", **keys)

    def connect(self, export, **keys):
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(self.directory.name, "nbd"))
        return Nbd(s, export, **keys)

    def end(self):
        self.run("shutdown")
        self.directory.cleanup()


class Nbd:
    """A client that sends and receives every byte when it is told to."""

    def __init__(self, s, export, go=True):
        self.socket, self.cookie, self.export = s, 0, export
        s.settimeout(60)
        same(self.get(18)[:8], b"NBDMAGIC")
        self.send(struct.pack(">I", 3))
        if go:
            self.go()

    def go(self):
        name = self.export.encode()
        self.send(b"IHAVEOPT" + struct.pack(">III", 7, 6 + len(name), len(name)) + name + struct.pack(">H", 0))
        kind = 3
        while kind == 3:
            _, _, kind, size = struct.unpack(">QIII", self.get(20))
            self.get(size)
        same(kind, 1, "the answer to GO")

    def send(self, data):
        self.socket.sendall(data)

    def get(self, n):
        parts = []
        while n:
            part = self.socket.recv(min(n, MIB))
            if not part:
                raise Wrong("the daemon has closed the connection")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def request(self, kind, offset=0, length=0):
        self.cookie += 1
        return struct.pack(">IHHQQI", 0x25609513, 0, kind, self.cookie, offset, length)

    def reply(self, cookie, data=0, error=0):
        same(struct.unpack(">IIQ", self.get(16)), (0x67446698, error, cookie), "a reply")
        return self.get(data) if data and not error else b""

    def write(self, offset, data):
        self.send(self.request(WRITE, offset, len(data)) + data)
        self.reply(self.cookie)

    def read(self, offset, length):
        self.send(self.request(READ, offset, length))
        return self.reply(self.cookie, length)

    def close(self):
        self.send(self.request(DISC))
        self.socket.close()


def until(what, condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise Wrong(what)
        time.sleep(0.005)


def pattern(seed, size):
    return random.Random(seed).randbytes(size)


@test
def the_devices_are_the_same_ones():
    d = Replaced()
    a = d.file("a", 4 * MIB)
    d.run("create", "one", "--uuid", "u-1", "--table", f"0 4096 linear {a} 0")
    d.run("create", "two", "--table", "0 2048 linear /dev/mapper/one 128\n2048 8 zero")
    d.run("load", "two", "--table", "0 8 error")
    d.run("create", "still", "--table", "0 8 zero")
    d.run("suspend", "still")
    d.run("create", "empty", "--notable")
    before, pid = [d.run(*words) for words in (["info", "--json"], ["table"], ["table", "--inactive"])], d.pid()
    client = d.connect("two")
    d.replace()
    same(d.pid(), pid, "the process")
    client.write(0, b"x" * 4096)
    client.close()
    same([d.run(*words) for words in (["info", "--json"], ["table"], ["table", "--inactive"])], before, "the devices")
    if "replaced by" not in d.log():
        raise Wrong(d.log())
    d.end()


@test
def connections_go_on_at_every_byte():
    d = Replaced()
    d.run("create", "vd", "--table", f"0 32768 linear {d.file('a', 16 * MIB)} 0")
    idle, head, body, asks, greets = (d.connect("vd") for _ in range(3)), None, None, None, None
    idle, head, body = idle
    refused, asks, greets = d.connect("vd"), d.connect("vd"), d.connect("vd", go=False)
    data = pattern(1, 2 * MIB)
    idle.write(0, data)
    request = head.request(READ, 0, MIB)
    head.send(request[:13])
    body.send(body.request(WRITE, 4 * MIB, len(data)) + data[:1234567])
    refused.send(refused.request(WRITE, 15 * MIB, len(data)) + data[:777777])
    wanted = b""
    for _ in range(24):                        # much more than a socket holds
        wanted += asks.request(READ, 0, 2 * MIB)
    asks.send(wanted)
    asks_end = asks.cookie
    d.replace()
    same(idle.read(0, len(data)), data, "an idle connection")
    head.send(request[13:])
    same(head.reply(head.cookie, MIB), data[:MIB], "half a request")
    body.send(data[1234567:])
    body.reply(body.cookie)
    same(body.read(4 * MIB, len(data)), data, "half of a write's data")
    refused.send(data[777777:])
    refused.reply(refused.cookie, error=28)
    same(refused.read(0, MIB), data[:MIB], "half of a refused write's data")
    seen = set()
    for _ in range(24):
        magic, error, cookie = struct.unpack(">IIQ", asks.get(16))
        same((magic, error), (0x67446698, 0), "replies that were not read")
        seen.add(cookie)
        same(asks.get(2 * MIB), data, "data that was not read")
    same(seen, set(range(1, asks_end + 1)), "all replies, each once")
    greets.go()
    same(greets.read(0, MIB), data[:MIB], "a handshake")
    for c in (idle, head, body, refused, asks, greets):
        c.close()
    d.end()


@test
def what_waits_at_a_suspended_device_is_answered_later():
    d = Replaced()
    d.run("create", "vd", "--table", f"0 8192 linear {d.file('a', 4 * MIB)} 0")
    client, data = d.connect("vd"), pattern(2, MIB)
    d.run("suspend", "vd")
    client.send(client.request(WRITE, 0, len(data)) + data)
    client.send(client.request(FLUSH))
    for _ in range(2):
        d.replace()
    d.run("resume", "vd")
    got = set()
    for _ in range(2):
        magic, error, cookie = struct.unpack(">IIQ", client.get(16))
        same((magic, error), (0x67446698, 0))
        got.add(cookie)
    same(got, {1, 2})
    same(client.read(0, len(data)), data)
    client.close()
    d.end()


@test
def what_was_sent_before_a_goodbye_is_carried_out():
    d = Replaced()
    a, data = d.file("a", 4 * MIB), pattern(8, MIB)
    d.run("create", "vd", "--table", f"0 8192 linear {a} 0")
    client = d.connect("vd")
    d.run("suspend", "vd")
    client.send(client.request(WRITE, 0, len(data)) + data)
    client.send(client.request(DISC))
    until("the daemon has not received all", lambda: not struct.unpack("i", fcntl.ioctl(client.socket, termios.TIOCOUTQ, bytes(4)))[0])
    for _ in range(2):
        d.replace()
    d.run("resume", "vd")
    client.reply(1)
    same(client.socket.recv(1), b"", "the end of the connection")
    with open(a, "rb") as f:
        same(f.read(MIB), data, "what was written")
    d.run("remove", "vd")
    d.end()


class Load(threading.Thread):
    """Writes and verifies its own part of a disk until it is told to stop; the longest that it waited."""

    def __init__(self, client, part):
        super().__init__()
        self.client, self.part, self.stop, self.worst, self.n, self.error = client, part, False, 0.0, 0, None

    def run(self):
        rng = random.Random(self.part)
        model = {}
        try:
            while not self.stop:
                at, began = self.part * MIB + rng.randrange(255) * 4096, time.monotonic()
                if at in model and rng.random() < 0.5:
                    same(self.client.read(at, 4096), model[at], "what was written")
                else:
                    model[at] = rng.randbytes(4096)
                    self.client.write(at, model[at])
                self.worst = max(self.worst, time.monotonic() - began)
                self.n += 1
            for at, data in model.items():
                same(self.client.read(at, 4096), data, "what was written")
        except Exception as e:      # pylint: disable=broad-except
            self.error = e


@test
def upgrades_under_load():
    """No request fails; the longest pause is printed."""
    d = Replaced()
    d.run("create", "low", "--table", f"0 16384 linear {d.file('a', 8 * MIB)} 0")
    d.run("create", "top", "--table", "0 16384 linear /dev/mapper/low 0")
    loads = [Load(d.connect("top" if i % 2 else "low"), i) for i in range(4)]
    for load in loads:
        load.start()
    for _ in range(ROUNDS):
        d.replace()
    for load in loads:
        load.stop = True
    for load in loads:
        load.join()
        if load.error:
            raise Wrong(f"{load.error}; {d.log()}")
        load.client.close()
    print(f"# {ROUNDS} upgrades, {sum(load.n for load in loads)} requests, the longest took "
          f"{1000 * max(load.worst for load in loads):.0f} ms")
    d.end()


@test
def a_program_that_cannot_take_over_changes_nothing():
    d = Replaced()
    d.run("create", "vd", "--table", "0 8 zero")
    client, pid = d.connect("vd"), d.pid()
    script = os.path.join(d.directory.name, "other")
    for text, part in (("exit 0", "did not answer"), ("echo dmuse handover 99", "another form")):
        with open(script, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\n{text}\n")
        os.chmod(script, 0o755)
        said = d.run("daemon", "--replace", script, code=1)
        if part not in said:
            raise Wrong(said)
    said = d.run("daemon", "--replace", "/no/such/program", code=1)
    if "cannot run /no/such/program" not in said:
        raise Wrong(said)
    same(d.pid(), pid)
    same(client.read(0, 512), bytes(512))
    client.close()
    d.end()


def asked_program(d, name, says):
    """A program that says this when it is asked whether it can take over, as soon as it may; its file, and two FIFOs for that."""
    script, asked, may = (os.path.join(d.directory.name, name + suffix) for suffix in ("", "-asked", "-may"))
    os.mkfifo(asked)
    os.mkfifo(may)
    with open(script, "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\necho $$ >{asked}\nread -r x <{may}\necho {says}\n")
    os.chmod(script, 0o755)
    return script, asked, may


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def goes_on(fifo):
    with open(fifo, "wb") as f:
        f.write(b"\n")


@test
def the_answer_of_a_program_that_was_given_up_is_not_that_of_the_next():
    d = Replaced()
    (good, good_asked, good_may), (bad, bad_asked, bad_may) = asked_program(d, "good", "dmuse handover 1"), asked_program(d, "bad", "no")
    pid, control = d.pid(), Control(d.control)
    control.connect()
    control.connection.send(plistlib.dumps({"command": "replace", "program": good}))
    answers = int(contents(good_asked))
    control.close()
    until("it was not given up", lambda: "the daemon was not replaced" in d.log())
    with subprocess.Popen([DMUSE, "daemon", "--socket", d.control, "--replace", bad], stderr=subprocess.PIPE, text=True) as other:
        contents(bad_asked)
        goes_on(good_may)
        until("the first one does not end", lambda: not os.path.exists(f"/proc/{answers}"))
        goes_on(bad_may)
        said = other.communicate(timeout=60)[1]
    if "another form" not in said or "replaced by" in d.log():
        raise Wrong(f"{said}{d.log()}")
    same(d.pid(), pid)
    d.end()


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000       # waitpid(2) for threads


class Stopped:
    """The thread with this name, while it does not run."""

    def __init__(self, pid, name):
        for task in sorted(int(t) for t in os.listdir(f"/proc/{pid}/task")):
            with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
                if f.read().strip() == name:
                    self.task = task
                    break
        self.possible = not self.do(PTRACE_SEIZE) and not self.do(PTRACE_INTERRUPT)
        if self.possible:
            os.waitpid(self.task, WALL)

    def do(self, what):
        return ctypes.CDLL(None).ptrace(what, self.task, None, None)

    def go_on(self):
        self.do(PTRACE_DETACH)


@test
def one_that_is_told_to_end_does_not_become_another_any_more():
    """An io thread does not answer at once whether its connections stand still."""
    d = Replaced("--io-threads", "1")
    program, asked, may = asked_program(d, "goes", "dmuse handover 1")
    pid, control = d.pid(), Control(d.control)
    stopped = Stopped(pid, "dmuse-io0")
    if not stopped.possible:
        d.end()
        return "no thread can be stopped here"
    with subprocess.Popen([DMUSE, "daemon", "--socket", d.control, "--replace", program], stderr=subprocess.DEVNULL) as other:
        answers = int(contents(asked))
        goes_on(may)
        until("it does not end", lambda: not os.path.exists(f"/proc/{answers}"))
        for _ in range(2):      # by then it has been heard
            control.ask("version", identity=False)
        os.kill(pid, signal.SIGTERM)
        until("the signal did not arrive", lambda: "Terminated: ending" in d.log())
        stopped.go_on()
        other.wait(60)
    until("the daemon has not ended", lambda: not os.path.exists(d.control))
    if "replaced by" in d.log():
        raise Wrong(d.log())
    d.directory.cleanup()
    return None


def files(pid):
    """What it has open, and whether another program would have it; and its directory."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
                flags = next(int(line.split()[1], 8) for line in f if line.startswith("flags:"))
            found.append((int(fd), os.readlink(f"/proc/{pid}/fd/{fd}"), bool(flags & os.O_CLOEXEC)))
        except FileNotFoundError:   # it was a client's, which has gone
            pass
    return sorted(found), os.readlink(f"/proc/{pid}/cwd")


def settled(pid):
    """The same, once clients that have gone have been forgotten."""
    seen = [None, files(pid)]
    while seen[-1] != seen[-2]:
        time.sleep(0.1)
        seen.append(files(pid))
    return seen[-1]


@test
def one_that_cannot_be_started_leaves_nothing_behind():
    """It is a dmuse that can take over, but is gone by the time it is to do so."""
    d = Replaced()
    d.run("create", "vd", "--table", "0 8 zero")
    script, client = os.path.join(d.directory.name, "goes"), d.connect("vd")
    client.read(0, 512)
    pid = d.pid()
    before = settled(pid)
    with open(script, "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\nrm "$0"\nexec {DMUSE} "$@"\n')
    os.chmod(script, 0o755)
    said = d.run("daemon", "--replace", script, code=1)
    if f"cannot become {script}: No such file" not in said:
        raise Wrong(said)
    client.read(0, 512)
    same(settled(pid), before, "its files")
    client.close()
    d.end()


def another_program(d, *options):
    """One that gets OPTIONS as well, when it is the daemon."""
    script = os.path.join(d.directory.name, "other")
    with open(script, "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\n[ "$1" = daemon ] && set -- "$@" {" ".join(options)}\nexec {DMUSE} "$@"\n')
    os.chmod(script, 0o755)
    return script


@test
def what_targets_keep_in_memory_goes_along():
    d = Replaced()
    a = d.file("a", MIB)
    d.run("create", "bad", "--table", f"0 2048 dust {a} 0 512")
    d.run("create", "ways", "--table", f"0 512 switch 2 8 0 {a} 0 {a} 512")
    for message in ("addbadblock 3", "addbadblock 600 7", "enable"):
        d.run("message", "bad", "0", *message.split())
    d.run("message", "ways", "0", "set_region_mappings", "0:1")
    same(d.run("message", "bad", "0", "listbadblocks"), "3\n600\n\n")

    def as_it_was():
        same(d.run("message", "bad", "0", "listbadblocks"), "3\n600\n\n")
        client = d.connect("bad")
        client.send(client.request(READ, 3 * 512, 512))
        client.reply(client.cookie, 512, error=5)
        client.close()
        client, data = d.connect("ways"), pattern(4, 512)
        client.write(0, data)
        client.close()
        with open(a, "rb") as f:
            same(os.pread(f.fileno(), 512, 512 * 512), data, "the region's path")

    d.replace()
    as_it_was()
    said = d.run("daemon", "--replace", another_program(d, "--tables", "/no/such/tables"), code=1)
    if "/no/such/tables" not in said:
        raise Wrong(said)
    as_it_was()
    d.end()


@test
def keys_go_along_and_are_in_no_file():
    d = Replaced()
    first, second = bytes(range(64)).hex(), bytes(range(100, 164)).hex()
    a = d.file("a", MIB)
    table = d.file("table", 0)
    with open(table, "w", encoding="ascii") as f:
        f.write(f"0 2048 crypt aes-xts-plain64 {first} 0 {a} 0")
    d.run("create", "v", table)
    client, data = d.connect("v"), pattern(7, 4096)
    client.write(0, data)

    def as_it_was(key):
        same(client.read(0, 4096), data, "the plain text")
        same(d.run("table", "--showkeys", "v").split()[4], key, "the key")
        for place, _, names in os.walk(d.directory.name):
            for name in set(names) - {"table", "a"}:
                path = os.path.join(place, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        seen = f.read()
                    if key.encode() in seen or bytes.fromhex(key) in seen:
                        raise Wrong(f"the key is in {name}")

    for _ in range(3):
        d.replace()
        as_it_was(first)
    d.run("suspend", "v")
    d.run("message", "v", "0", "key", "set", second)
    d.replace()
    d.run("resume", "v")
    client.write(0, data)
    as_it_was(second)
    d.run("suspend", "v")
    d.run("message", "v", "0", "key", "wipe")
    d.replace()
    d.run("resume", "v", code=1)
    same(d.run("table", "--showkeys", "v").split()[4], "0" * 128, "the key that was wiped")
    d.run("message", "v", "0", "key", "set", second)
    d.run("resume", "v")
    as_it_was(second)
    client.close()
    d.end()


@test
def a_log_of_writes_goes_on():
    d = Replaced()
    log = d.file("log", MIB)
    d.run("create", "logged", "--table", f"0 2048 log-writes {d.file('a', MIB)} {log}")
    client = d.connect("logged")
    client.write(0, b"x" * 4096)
    client.send(client.request(FLUSH))
    client.reply(client.cookie)
    client.write(4096, b"y" * 4096)
    mark = {"command": "message", "name": "logged", "sector": 0, "message": "mark before", "id": "the-mark"}
    same(d.ask(**mark)["errno"], 0, "a mark")
    d.replace()
    same(d.ask(**mark)["errno"], 0, "the same mark, whose answer was lost")
    client.write(8192, b"z" * 512)
    d.run("message", "logged", "0", "mark", "after")
    client.send(client.request(FLUSH))
    client.reply(client.cookie)
    client.close()
    d.run("suspend", "logged")
    said = d.run("daemon", "--replace", code=1)
    if "device 'logged': table line 1: the log of a device that is suspended cannot be handed over" not in said:
        raise Wrong(said)
    d.run("resume", "logged")
    d.run("remove", "logged")
    listed = d.run("replay", "--log", log)
    same([line.split(" ", 1)[1] for line in listed.splitlines()],
         ["write 0+8", "flush", "mark before", "write 8+8", "mark after", "write 16+1", "flush", "mark dm-log-writes-end"])
    d.end()


@test
def what_a_target_cannot_hand_over_stays_where_it_is():
    d = Replaced()
    d.run("create", "before", "--table", "0 8 zero")
    d.run("create", "cached", "--table", f"0 2048 powercut {d.file('a', MIB)} 0")
    client, data = d.connect("cached"), pattern(5, 512)
    client.write(0, data)
    said = d.run("daemon", "--replace", code=1)
    if "device 'cached': table line 1: powercut: the write cache of" not in said or "1 requests that nobody has flushed" not in said:
        raise Wrong(said)
    same(client.read(0, 512), data)
    client.send(client.request(FLUSH))
    client.reply(client.cookie)
    d.replace()
    same(client.read(0, 512), data)
    client.close()
    d.end()


@test
def if_the_other_program_does_not_come_up_this_one_goes_on():
    d = Replaced()
    d.run("create", "vd", "--table", f"0 2048 linear {d.file('a', MIB)} 0")
    client, pid, data = d.connect("vd"), d.pid(), pattern(3, 4096)
    script = another_program(d, "--tables", "/no/such/tables")
    client.write(0, data)
    request = client.request(READ, 0, 4096)
    client.send(request[:5])
    said = d.run("daemon", "--replace", script, code=1)
    if "/no/such/tables" not in said:
        raise Wrong(said)
    same(d.pid(), pid)
    client.send(request[5:])
    same(client.reply(client.cookie, 4096), data, "a request that both programs saw")
    client.close()
    d.end()


# Says what it does; goes on with each line that it gets.
TLS_CLIENT = '''
import nbd, sys
h = nbd.NBD()
h.set_tls_psk_file(sys.argv[2])
h.set_tls_username("alice")
h.set_uri_allow_local_file(True)
h.connect_uri(sys.argv[1])
h.pwrite(b"x" * 4096, 0)
buffer = nbd.Buffer(4096)
cookie = h.aio_pread(buffer, 0)
print("asked", flush=True)
while not h.aio_command_completed(cookie):
    h.poll(-1)
print("answered", buffer.to_bytearray() == b"x" * 4096, flush=True)
try:
    while not h.aio_is_closed():
        h.poll(-1)
    print("closed", flush=True)
except nbd.Error as e:
    print("closed" if h.aio_is_closed() else e, flush=True)
h = nbd.NBD()
h.set_tls_psk_file(sys.argv[2])
h.set_tls_username("alice")
sys.stdin.readline()
h.connect_uri(sys.argv[1])
print("again", h.pread(4096, 0) == b"x" * 4096)
'''


@test
def clients_with_tls_are_answered_and_connect_again():
    if subprocess.run([PYTHON, "-c", "import nbd; assert nbd.NBD().supports_tls()"], check=False, stderr=subprocess.DEVNULL).returncode:
        return "there is no libnbd for Python, with TLS"
    keys = tempfile.NamedTemporaryFile("w", suffix=".psk")
    keys.write(f"alice:{os.urandom(32).hex()}\n")
    keys.flush()
    d = Replaced("--nbd-tcp", "127.0.0.1:0", "--tls-psk", keys.name)
    d.run("create", "vd", "--table", f"0 2048 delay {d.file('a', MIB)} 0 500")
    uri = next(u for u in d.run("export", "--all", "vd").split() if "127.0.0.1" in u)
    plain = d.connect("vd")
    with subprocess.Popen([PYTHON, "-c", TLS_CLIENT, uri, keys.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as client:
        same(client.stdout.readline(), "asked\n")
        d.replace()
        same(client.stdout.readline(), "answered True\n", "the request that was under way")
        same(client.stdout.readline(), "closed\n", "the end of the connection")
        said, _ = client.communicate("go\n", 60)
        same(said, "again True\n", "another connection")
    same(plain.read(0, 4096), b"x" * 4096, "a client without TLS")
    plain.close()
    d.end()
    return None


@test
def memory_stays_as_it_is():
    d = Replaced()
    d.run("create", "m", "--table", "0 40960 linear memory,size=20M:m 0")
    client, data = d.connect("m"), pattern(6, 4 * MIB)
    client.write(MIB, data)
    d.replace()
    client.write(0, data[:4096])
    d.replace()
    same(client.read(MIB, 4 * MIB), data, "what was written before")
    same(client.read(0, 4096), data[:4096], "what was written in between")
    same(client.read(8 * MIB, MIB), bytes(MIB), "what was not")
    d.run("create", "again", "--table", "0 40960 linear memory,size=20M:m 0")
    same(d.connect("again").read(MIB, 4096), data[:4096], "another device on the same memory")
    d.end()


# Writes and reads behind the page cache until there is a file `enough`.
IN_A_SESSION = '''
import mmap, os, sys
fd, n, block = os.open("/dev/mapper/vd", os.O_RDWR | os.O_DIRECT), 0, mmap.mmap(-1, 4096)
while not os.path.exists(sys.argv[1] + "/enough"):
    block[:8] = n.to_bytes(8, "little")
    os.pwrite(fd, block, n % 251 * 4096)
    block[:8] = bytes(8)
    os.preadv(fd, [block], n % 251 * 4096)
    assert block[:8] == n.to_bytes(8, "little")
    n += 1
    if n == 10:
        print("going", flush=True)
print("right")
'''


@test
def programs_of_a_session_go_on():
    lack = session_lacks()
    if lack or tuple(int(x) for x in os.uname().release.split(".")[:2]) < (6, 9):
        return lack or "this kernel cannot send requests of FUSE again"
    d = Replaced()
    d.run("create", "vd", "--table", f"0 2048 linear {d.file('a', MIB)} 0")
    command = [DMUSE, "exec", "--socket", d.control, "--", PYTHON, "-c", IN_A_SESSION, d.directory.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        same(program.stdout.readline(), "going\n")
        for _ in range(ROUNDS):
            d.replace()
        d.file("enough", 0)
        same(program.communicate(timeout=60)[0], "right\n", "the program")
    same(program.returncode, 0, "its exit code")
    same(d.run("exec", "--", "dmsetup", "info", "-c", "--noheadings", "-o", "name,open"), "vd:0\n", "the next program")
    d.end()
    return None


def supervisor_of(process):
    """Of `dmuse exec`: its child of that name, which still runs; or 0."""
    shown = subprocess.run(["pgrep", "-P", str(process.pid), "dmuse-supervise"], capture_output=True, text=True, check=False)
    if not shown.stdout:
        return 0
    with open(f"/proc/{int(shown.stdout)}/stat", encoding="ascii") as f:
        return 0 if " Z " in f.read() else int(shown.stdout)


@test
def processes_of_the_program_before_are_no_users_of_the_session():
    lack = session_lacks()
    if lack or tuple(int(x) for x in os.uname().release.split(".")[:2]) < (6, 9):
        return lack or "this kernel cannot send requests of FUSE again"
    d = Replaced()
    d.run("create", "vd", "--table", "0 8 zero")
    other = os.path.join(d.directory.name, "dmuse-new")
    shutil.copy(DMUSE, other)
    command = [DMUSE, "exec", "--socket", d.control, "--", "sh", "-c", "echo going; read x; echo $x"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        same(program.stdout.readline(), "going\n")
        supervisor = supervisor_of(program)
        d.run("daemon", "--replace", other)
        d.run("shutdown")
        same(supervisor_of(program), supervisor, "the supervisor, which ends with the program")
        same(program.communicate("gone\n", timeout=60)[0], "gone\n", "the program")
    same(program.returncode, 0, "its exit code")
    d.directory.cleanup()
    return None


def main():
    print(f"1..{len(tests)}")
    failed = 0
    for i, f in enumerate(tests, 1):
        name = f.__name__.replace("_", " ")
        try:
            skipped = f()
            print(f"ok {i} - {name}{f' # SKIP {skipped}' if skipped else ''}", flush=True)
        except Exception as e:      # pylint: disable=broad-except
            failed += 1
            print(f"not ok {i} - {name}\n# {str(e).replace(chr(10), chr(10) + '# ')}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
