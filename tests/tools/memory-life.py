#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Lack of memory in the life of a daemon: while it starts with the state of an earlier one, while another program takes its place, while it
ends, and in a session from its beginning to its end, in all its processes. What fails says so, and neither devices nor data are lost.
Without --full only some of the points are tried (`make test-memory` tries all).
"""
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time

import memory
from memory import FULL, Run, Steer, difference, label, ok, state, total
from memory_steps import SETUP
from protocol_client import DMUSE, Client
from session_lacks import session_lacks

SESSION_POINTS = 150     # of the many that a session has, if all are tried


class Place:
    """A daemon with a state, below a directory of its own."""

    def __init__(self):
        self.steer = Steer()
        self.top = tempfile.TemporaryDirectory(prefix="dmuse-")
        self.directory = self.top.name
        self.path = os.path.join(self.directory, "control")
        for name, sectors in ("disk.img", 16384), ("label.img", 2048):
            with open(os.path.join(self.directory, name), "wb") as f:
                f.truncate(sectors * 512)
        label(os.path.join(self.directory, "label.img"))
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.directory, "notify"))
        self.notify.settimeout(0.02)
        self.process = None

    def start(self, keeper=False):
        """Is it ready? Else it has ended. KEEPER: another process holds what a program that takes over gets."""
        self.forget_notes()
        environment = {**self.steer.environment(), "NOTIFY_SOCKET": os.path.join(self.directory, "notify")}
        with open(os.path.join(self.directory, "said"), "wb") as said:
            self.process = subprocess.Popen([DMUSE, "daemon", "--foreground", "--socket", self.path, "--nbd-socket", "none", "--io-threads", "1",
                                             *([] if keeper else ["--restart-timeout", "0"]), "--state", os.path.join(self.directory, "state")],
                                            stdout=said, stderr=said, env=environment, cwd=self.directory)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if b"READY=1" in self.notify.recv(4096):
                    return True
            except TimeoutError:
                if self.process.poll() is not None:
                    return False
        raise TimeoutError("neither ready nor ended")

    def forget_notes(self):
        """Of a program that took over."""
        try:
            while self.notify.recv(4096):
                pass
        except TimeoutError:
            pass

    def said(self):
        with open(os.path.join(self.directory, "said"), "rb") as f:
            return f.read().decode(errors="replace")

    def words(self, value):
        return value.replace("$DIR", self.directory) if isinstance(value, str) else value

    def client(self):
        """Of the daemon that serves, or of the one that is about to be started again; None: none is."""
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                client = Client(self.path)
                client.ask("version")
                return client
            except (OSError, ValueError, EOFError):
                pass
        return None

    def devices(self):
        client = Client(self.path)
        try:
            return state(client, self.directory)
        finally:
            client.close()

    def end(self):
        """Its exit status."""
        client = Client(self.path)
        client.ask("shutdown")
        client.close()
        return self.process.wait(60)

    def keep(self):
        """Devices of all kinds in a state, and what there is of them in a later daemon."""
        assert self.start()
        client = Client(self.path)
        for command, keys in SETUP:
            reply = client.ask(command, **{k: self.words(v) for k, v in keys.items()})
            assert reply["errno"] == 0, reply
        client.close()
        assert self.end() == 0
        shutil.copytree(os.path.join(self.directory, "state"), os.path.join(self.directory, "kept"))
        assert self.start()
        self.kept = self.devices()
        assert self.end() == 0

    def back(self):
        """The state is as it was."""
        shutil.rmtree(os.path.join(self.directory, "state"))
        shutil.copytree(os.path.join(self.directory, "kept"), os.path.join(self.directory, "state"))

    def later(self):
        """What is wrong in a daemon that comes later and has memory, or None."""
        if not self.start():
            return f"no daemon starts any more: {self.said()}"
        now = self.devices()
        self.end()
        return None if now == self.kept else f"a later daemon: {difference(self.kept, now)}"


def start(place, at, many):
    place.back()
    place.steer.arm(at, many)
    ready = place.start()
    place.steer.disarm()
    return ready, None


def lacks_memory(said):
    return any(reason in said for reason in ("no memory", "Cannot allocate memory", "cannot start a thread"))


def judge_start(place, ready):
    """Of what cannot be brought back for lack of memory it says so, and it is there later."""
    code = place.process.poll()
    if code is not None and code < 0:
        return "crashes", f"{code} {place.said()}"
    if not ready:
        if not code or "dmuse: " not in place.said():
            return "other faults", f"ended with {code}, and no sentence: {place.said()!r}"
    else:
        now = place.devices()
        code = place.end()
        if now != place.kept and not lacks_memory(place.said()):
            return "wrong successes", f"{difference(place.kept, now)}, said: {place.said()}"
        if code:
            return "other faults", f"shutdown ended it with {code}: {place.said()}"
    wrong = place.later()
    return ("wrong successes" if ready else "other faults", wrong) if wrong else (None, None)


def replace(place, at, many):
    """What the command said, and whether it succeeded."""
    place.back()
    assert place.start(keeper=True)
    place.steer.arm(at, many)
    done = subprocess.run([DMUSE, "--socket", place.path, "daemon", "--replace"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=place.steer.environment(), cwd=place.directory, timeout=60)
    place.steer.disarm()
    return done, None


def judge_replace(place, done):
    """One of the programs goes on with the same devices, or is started again with them. Or, if there is no memory for that, a later one has them."""
    if done.returncode < 0 or "signal" in place.said():
        return "crashes", f"the command: {done.returncode} {done.stderr}, the daemon: {place.said()}"
    if place.client():
        now = place.devices()
        place.end()
    elif done.returncode and lacks_memory(place.said()):
        now = place.kept
    else:
        return "other faults", f"ended with {place.process.wait(60)}, the command with {done.returncode} {done.stderr}: {place.said()!r}"
    if done.returncode and "dmuse: " not in done.stderr:
        return "other faults", f"exit status {done.returncode}, and no sentence"
    if now != place.kept and not lacks_memory(place.said()):
        return "wrong successes" if not done.returncode else "other faults", f"{difference(place.kept, now)}, said: {place.said()}"
    wrong = place.later()
    return ("wrong successes", wrong) if wrong else (None, None)


def shut_down(place, at, many):
    """The reply, or None."""
    place.back()
    assert place.start()
    client = Client(place.path)
    client.ask("version")
    place.steer.arm(at, many)
    try:
        reply = client.ask("shutdown")
    except (OSError, ValueError, EOFError):
        reply = None
    if reply is None or stops(reply):
        place.process.wait(60)
    place.steer.disarm()
    client.close()
    return reply, None


def stops(reply):
    """Without memory to flush it ends all the same, and says so."""
    return not reply["errno"] or "the daemon stops" in reply.get("error", "")


def judge_shut_down(place, reply):
    if reply and reply["errno"] and not reply.get("error"):
        return "other faults", "no sentence"
    if reply and not stops(reply):
        place.end()
    if place.process.returncode not in (0, 1):     # 1: something was lost at the end; the log may have had no memory to say what
        return "crashes" if place.process.returncode < 0 else "other faults", f"{place.process.returncode} {place.said()}"
    wrong = place.later()
    return ("wrong successes", wrong) if wrong else (None, None)


def count(place, attempt):
    """How many allocations it makes."""
    attempt(place, 1 << 40, 1)
    n = place.steer.seen()
    place.end() if place.process.poll() is None else None
    return n


def life(place):
    place.keep()
    for name, attempt, judge in (("a daemon with a state starts", start, judge_start), ("another program takes over", replace, judge_replace),
                                 ("shutdown", shut_down, judge_shut_down)):
        n = count(place, attempt)
        ok(f"{name}: {n} allocations",
           Run(lambda at, many, a=attempt: a(place, at, many), lambda out, _, j=judge: j(place, out)).all(n))


SCRIPT = """set -e
[ "$(blockdev --getsz /dev/mapper/vd)" = 2048 ]
dd if=much of=/dev/mapper/vd bs=64K status=none
dmsetup table vd
"""


class Session:
    """A session with a daemon of its own: a program writes to a device, and does not sync."""

    def __init__(self, place):
        self.place = place
        self.much = os.urandom(1 << 20)
        with open(os.path.join(place.directory, "much"), "wb") as f:
            f.write(self.much)

    def run(self, at, many):
        with open(os.path.join(self.place.directory, "vd.img"), "wb") as f:
            f.truncate(1 << 20)
        self.place.steer.arm(at, many)
        try:
            done = subprocess.run([DMUSE, "exec", "--restart-timeout", "0", "--create", f"vd=0 2048 linear {self.place.directory}/vd.img 0", "--",
                                   "sh", "-c", SCRIPT], stdin=subprocess.DEVNULL, capture_output=True, env=self.place.steer.environment(),
                                  cwd=self.place.directory, timeout=120)
        finally:
            self.place.steer.disarm()
        return done, None

    def judge(self, done, _):
        if done.returncode < 0 or done.returncode in (128 + 6, 128 + 11):
            return "crashes", f"{done.returncode} {done.stderr}"
        if not done.returncode:
            with open(os.path.join(self.place.directory, "vd.img"), "rb") as f:
                if f.read() != self.much:
                    return "wrong successes", f"data is lost: {done.stderr}"
            if not done.stdout.startswith(b"0 2048 linear "):
                return "wrong successes", f"{done.stdout} {done.stderr}"
        elif not done.stderr:
            return "other faults", f"exit status {done.returncode}, and no sentence"
        return None, None


def session(place):
    lacks = session_lacks()
    if lacks:
        ok(f"a session # SKIP {lacks}", [])
        return
    s = Session(place)
    done, _ = s.run(1 << 40, 1)
    assert s.judge(done, None) == (None, None) and not done.returncode, done
    n = place.steer.seen()
    step = max(1, n // SESSION_POINTS) if FULL else 1
    ok(f"a session: {n} allocations, each {step}th", Run(s.run, s.judge).all(n, step))


def main():
    if memory.sanitized():
        print("ok 1 - memory that runs out # SKIP the build has sanitizers, which allocate by themselves\n1..1")
        return 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    place = Place()
    life(place)
    session(place)
    print(f"1..{memory.count}")
    print("# " + ", ".join(f"{k} {v}" for k, v in total.items()))
    return memory.failures > 0


if __name__ == "__main__":
    raise SystemExit(main())
