#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Lack of memory: the n-th allocation fails, alone and with all that follow, for every n, in every command, in the daemon
and in the client. What fails does so with a message and changes nothing; what succeeds is complete; nothing crashes.
Without --full only some of the points are tried (`make test-memory` tries all).
"""
import ast
import mmap
import os
import plistlib
import random
import re
import resource
import struct
import subprocess
import sys
import tempfile

from memory_steps import COMMANDS, REQUESTS, SETUP, SETUP_OF_ONE_LIFE, TRAFFIC
from protocol_client import DMUSE, Client, Daemon

PRELOAD = os.path.join(os.path.dirname(os.path.abspath(DMUSE)), "tests", "programs", "no_memory.so")
FULL = "--full" in sys.argv
ONLY = [a for a in sys.argv[1:] if not a.startswith("--")]
QUICK = {1: 2, 0: 1}       # points of each command and way, unless all are tried
ALWAYS = {"disks"}         # requests of which all are: each has once been a success without all of its answer
dice = random.Random(20260101)
count = failures = 0
total = {"points": 0, "crashes": 0, "wrong successes": 0, "other faults": 0}


def ok(what, faults):
    global count, failures
    count += 1
    failures += bool(faults)
    print(f"{'not ' if faults else ''}ok {count} - {what}", flush=True)
    for line in faults[:12]:
        print("#   " + str(line)[:600].replace("\n", "\n#   "))


class Steer:
    """The file that the preloaded library uses."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="dmuse-")
        self.file.write(bytes(32))
        self.file.flush()
        self.map = mmap.mmap(self.file.fileno(), 32)

    def environment(self):
        return {**os.environ, "LC_ALL": "C", "LD_PRELOAD": PRELOAD, "NO_MEMORY": self.file.name}

    def arm(self, first, many):
        self.map[:] = struct.pack("4Q", 0, many, 0, 0)
        self.map[:8] = struct.pack("Q", first)

    def disarm(self):
        """(how many allocations there were, how many of them failed)"""
        self.map[:8] = bytes(8)
        return struct.unpack("4Q", self.map[:])[2:]

    def seen(self):
        return struct.unpack("4Q", self.map[:])[2]


class Served(Daemon):
    """A daemon whose memory is controlled."""

    def __init__(self):
        self.steer = Steer()
        before = dict(os.environ)
        os.environ.update(self.steer.environment())
        try:
            super().__init__(["--nbd-socket", "nbd", "--io-threads", "1"])
        finally:
            os.environ.clear()
            os.environ.update(before)

    def died(self, lost=False):
        """LOST: a connection was lost, so it may be dying."""
        try:
            self.process.wait(3 if lost else 0.001)
            return True
        except subprocess.TimeoutExpired:
            return False

    def log_end(self):
        with open(self.log, "rb") as f:
            return f.read()[-500:].decode(errors="replace")


def ask(client, command, **keys):
    """A client that is turned away may get its answer before it has sent a command."""
    try:
        return client.ask(command, **keys)
    except BrokenPipeError:
        return plistlib.loads(client.receive())


def state(client, directory):
    """Everything that commands change, except counters and times; DIRECTORY is $DIR."""
    return ast.literal_eval(repr(all_of(client)).replace(directory, "$DIR"))


def all_of(client):
    names = {d["name"]: d for d in client.ask("names")["cmd_data"]}
    for name, d in names.items():
        for flags in (0, 1 << 12):
            d[flags] = [client.ask(c, name=name, flags=flags).get("cmd_data") for c in ("table", "status", "deps")]
        d["regions"] = client.ask("message", name=name, message="@stats_list").get("answer")
        d["counted"] = client.ask("message", name=name, message="@stats_print 0").get("answer")
        d["ios"] = {k: v["ios"] for k, v in client.ask("stats", name=name)["stats"].items()}
    disks = {d["name"]: d for d in client.ask("disks")["disks"]}
    return names, disks, client.ask("mount").get("mounts")


def clear(client):
    for path in client.ask("mount").get("mounts", []):
        client.ask("umount", directory=path)
    client.ask("remove_all", force=True)
    for disk in client.ask("disks")["disks"]:
        client.ask("undisk", name=disk["name"], force=True)
    client.ask("remove_all", force=True)


def set_up(client, words):
    clear(client)
    for command, keys in SETUP + SETUP_OF_ONE_LIFE:
        reply = client.ask(command, **{k: words(v) for k, v in keys.items()})
        assert reply["errno"] == 0, reply


def plain(reply):
    """A reply without what differs each time. A warning for which there was no memory is reported as such."""
    reply = {k: v for k, v in reply.items() if k not in ("warnings", "session")}
    if "stats" in reply:
        reply["stats"] = {k: (v["ios"], v["sectors"], v["errors"]) for k, v in reply["stats"].items()}
    return reply


def label(path):
    """The label guard warns of this: an MBR."""
    with open(path, "r+b") as f:
        f.seek(446)
        f.write(bytes([0, 0, 2, 0, 0x83, 0, 4, 0, 1, 0, 0, 0, 64, 0, 0, 0]) + bytes(48) + b"\x55\xaa")


def points(n, many, every):
    """Which of N allocations fail: all, or some, which differ for each command."""
    if FULL or every or n <= QUICK[many]:
        return range(1, n + 1)
    return sorted(dice.sample(range(1, n + 1), QUICK[many]))


class Run:
    """
    All ways in which one thing can fail. TRY() does it and returns its outcome; JUDGE(outcome, failed) returns what is
    wrong, or None.
    """

    def __init__(self, attempt, judge):
        self.attempt, self.judge = attempt, judge
        self.faults = []

    def fault(self, kind, at, many, why):
        total[kind] += 1
        self.faults.append(f"{kind}: allocation {at}{'' if many else ' and all that follow'}: {why}")

    def all(self, n, step=1, every=False):
        """Of N allocations; if there are very many, only each STEPth."""
        for many in (1, 0):
            for at in points(n, many, every)[::step]:
                total["points"] += 1
                kind, why = self.judge(*self.attempt(at, many))
                if kind:
                    self.fault(kind, at, many, why)
        return self.faults


def is_left_of(now, before):
    """What `remove_all` leaves when it cannot go on: of the devices before, some."""
    return set(now[0]) <= set(before[0]) and now[1:] == before[1:]


class Requests:
    """Requests to a daemon that has no memory."""

    def __init__(self):
        self.start()

    def start(self):
        self.daemon = Served()
        self.client = self.daemon.client()
        self.directory = self.daemon.directory.name
        os.mkdir(os.path.join(self.directory, "mnt"))
        self.daemon.image("disk.img", 16384)
        label(self.daemon.image("label.img", 2048))

    def words(self, value):
        return value.replace("$DIR", self.directory) if isinstance(value, str) else value

    def revive(self):
        subprocess.run(["umount", "-l", os.path.join(self.directory, "mnt")], stderr=subprocess.DEVNULL)
        self.start()
        return True

    def prepare(self):
        set_up(self.client, self.words)
        return state(self.client, self.directory)

    def ask(self, request, at, many):
        """
        (reply or None, failed) of REQUEST on a connection of its own, which was made before or is made without memory.
        """
        command, keys = request[1], {k: self.words(v) for k, v in request[2].items()}
        early = self.daemon.client()
        early.ask("version")
        self.daemon.steer.arm(at, many)
        try:
            client = early if not request[0].endswith("+") else self.daemon.client()
            reply = ask(client, command, **keys)
        except (OSError, ValueError, EOFError) as e:
            reply = None
        _, failed = self.daemon.steer.disarm()
        early.close()
        return reply, failed

    def run(self, request):
        before = self.prepare()
        self.ask(request, 1 << 40, 1)
        self.prepare()
        wanted, _ = self.ask(request, 1 << 40, 1)
        n = self.daemon.steer.seen()
        after = state(self.client, self.directory)

        first = self.directory

        def same(reply):
            return ast.literal_eval(repr(plain(reply)).replace(first, "$DIR").replace(self.directory, "$DIR"))

        def attempt(at, many):
            self.prepare()
            reply, failed = self.ask(request, at, many)
            return reply, failed

        def judge(reply, failed):
            if self.daemon.died(reply is None):
                end = self.daemon.log_end()
                code = self.daemon.process.returncode
                self.revive()
                return "crashes", f"{code} {end}"
            now = state(self.client, self.directory)
            if reply is None:
                return "other faults", f"no reply; {'as before' if now == before else 'changed'}"
            if reply["errno"]:
                if not reply.get("error"):
                    return "other faults", "no sentence"
                if wanted["errno"]:
                    return None, None
                if request[1] == "remove_all" and "stays: " in reply["error"] and is_left_of(now, before):
                    return None, None
                return (None, None) if now == before else ("other faults", f"failed ({reply['error']}), but {difference(before, now)}")
            if now != after:
                return "wrong successes", difference(after, now)
            if same(reply) != same(wanted):
                return "wrong successes", difference(same(wanted), same(reply))
            if "warnings" in wanted and "warnings" not in reply and not request[0].startswith("~"):
                return "wrong successes", "the warnings are gone"
            return None, None

        faults = Run(attempt, judge).all(n, every=request[0] in ALWAYS)
        ok(f"daemon: {request[0]}: {n} allocations", faults)

    def traffic(self, name, act):
        """NBD and FUSE: what was read is right, or there was an error; afterwards everything works."""
        self.prepare()
        if name.startswith("file") and not self.mount():
            return
        self.daemon.steer.arm(1 << 40, 1)
        act(self.directory)
        n, _ = self.daemon.steer.disarm()

        def attempt(at, many):
            self.daemon.steer.arm(at, many)
            try:
                said = act(self.directory)
            except Exception as e:
                said = None
            self.daemon.steer.disarm()
            return said, 0

        def judge(said, failed):
            if self.daemon.died():
                why = f"{self.daemon.process.returncode} {self.daemon.log_end()}"
                self.revive()
                self.prepare()
                self.mount()
                return "crashes", why
            if said:
                return "wrong successes", said
            try:
                said = act(self.directory)
            except Exception as e:
                said = f"afterwards: {type(e).__name__}: {e}"
            return ("other faults", said) if said else (None, None)

        ok(f"daemon: {name}: {n} allocations", Run(attempt, judge).all(n))

    def mount(self):
        return self.client.ask("mount", directory=os.path.join(self.directory, "mnt"))["errno"] == 0


def difference(a, b):
    """The difference of B from A, on one line."""
    if type(a) is type(b) and isinstance(a, dict):
        for k in [*a, *b]:
            if a.get(k) != b.get(k):
                return f"{k}: {difference(a.get(k), b.get(k))}"
    if type(a) is type(b) and isinstance(a, (list, tuple)) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return f"{i}: {difference(x, y)}"
    return f"{b!r} where {a!r} should be"


class Commands:
    """The program `dmuse` without memory, and a daemon that has enough."""

    def __init__(self):
        self.daemon = Daemon(["--nbd-socket", "nbd"])
        self.directory = self.daemon.directory.name
        os.mkdir(os.path.join(self.directory, "mnt"))
        self.daemon.image("disk.img", 16384)
        label(self.daemon.image("label.img", 2048))
        with open(os.path.join(self.directory, "table"), "w", encoding="utf-8") as f:
            f.write("0 8 zero\n")
        self.client = self.daemon.client()
        self.log()
        self.steer = Steer()

    def words(self, value):
        return value.replace("$DIR", self.directory) if isinstance(value, str) else value

    def log(self):
        """$DIR/log.img: what replay reads."""
        self.daemon.image("log.img", 8192)
        for command, keys in (("create", {"table": "0 64 log-writes memory,size=1M:l $DIR/log.img"}), ("message", {"message": "mark half-way"}),
                              ("remove", {})):
            reply = self.client.ask(command, name="logged", **{k: self.words(v) for k, v in keys.items()})
            assert reply["errno"] == 0, reply

    def dmuse(self, line, at, many):
        socket = self.daemon.path if line[0] != "-" else os.path.join(self.directory, "nobody")
        words = [self.words(w) for w in line.lstrip("-").split(" ")]
        words = [w.replace("_", " ") if w[:1].isdigit() else w for w in words]
        self.steer.arm(at, many)
        done = subprocess.run([DMUSE, "--socket", socket, "--no-start", *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=self.steer.environment(), cwd=self.directory)
        n, failed = self.steer.disarm()
        return done, n

    def run(self, line):
        steps, line = line[0] == "+", line.lstrip("+")
        set_up(self.client, self.words)
        before = state(self.client, self.directory)
        wanted, n = self.dmuse(line, 1 << 40, 1)
        after = state(self.client, self.directory)
        changes = after != before

        def attempt(at, many):
            if changes:
                set_up(self.client, self.words)
            return self.dmuse(line, at, many)

        def judge(done, _):
            now = state(self.client, self.directory)
            if done.returncode < 0:
                return "crashes", f"{done.returncode} {done.stderr}"
            if done.returncode and wanted.returncode:
                return None, None
            if done.returncode:
                if "dmuse: " not in done.stderr and '"error"' not in done.stdout:
                    return "other faults", f"no sentence: {done.stderr!r}"
                if now != before and not steps and "carried" not in done.stderr:
                    return "other faults", f"failed ({done.stderr.strip()}), but {difference(before, now)}"
                return None, None
            if now != after:
                return "wrong successes", f"{difference(after, now)} {done.stderr}"
            if without_speeds(done.stdout) != without_speeds(wanted.stdout) and "stats" not in line:
                return "wrong successes", f"{done.stdout!r} where {wanted.stdout!r} should be"
            return None, None

        faults = Run(attempt, judge).all(n, 10 if FULL and "doctor" in line else 1)
        ok(f"command: {line}: {n} allocations", faults)


def without_speeds(said):
    """What the doctor measured differs each time."""
    return re.sub(r'(bits|crypts"): \d+.*', r"\1", said)


def sanitized():
    """A sanitizer has its own allocator."""
    out = subprocess.run(["ldd", DMUSE], capture_output=True, text=True).stdout
    return "asan" in out or "ubsan" in out


def wanted(name):
    return not ONLY or any(o in name for o in ONLY)


def main():
    if sanitized():
        print("ok 1 - memory that runs out # SKIP the build has sanitizers, which allocate by themselves\n1..1")
        return 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    served = Requests()
    for request in REQUESTS:
        if wanted("daemon: " + request[0]):
            served.run(request)
    for name, act in TRAFFIC:
        if wanted("daemon: " + name):
            served.traffic(name, act)
    served.daemon.end()
    commands = Commands()
    for line in COMMANDS:
        if wanted("command: " + line):
            commands.run(line)
    clear(commands.client)
    commands.daemon.end()
    print(f"1..{count}")
    print("# " + ", ".join(f"{k} {v}" for k, v in total.items()))
    return failures > 0


if __name__ == "__main__":
    raise SystemExit(main())
