# SPDX-License-Identifier: BSD-2-Clause
"""Runs the steps of `generate` on a kernel with the real device-mapper and in a session, and compares their output."""
import os
import re
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GUEST = os.path.join(HERE, "guest")
DISK_BYTES = 16 << 20


FAILED_BY_ITSELF = "its kernel failed by itself"     # printed by guest


class Broken(Exception):
    """A side that could not be run."""


def split_steps(lines):
    """Splits steps into episodes: each ends with an `x`."""
    episodes, now = [], []
    for line in lines:
        if line and not line.startswith("#"):
            now.append(line)
        if line == "x":
            episodes.append(now)
            now = []
    return episodes + ([[*now, "x"]] if now else [])


class Numbers:
    """Replaces device numbers by names."""

    def __init__(self):
        self.majors, self.minors, self.find = {}, {}, None

    def learn(self, line):
        """From the lines of steps.c that contain nothing else."""
        if line.startswith("#="):
            self.minors = {pair.split("=")[1]: pair.split("=")[0] for pair in line[2:].split()}
        elif m := re.match(r"# (\S+) (\d+)", line):
            self.majors[m[2]] = "disk" if m[1].startswith("/dev/") else "dm"
            self.find = re.compile(r"(?<!\d)(" + "|".join(self.majors) + r")(:|, )(\d+)")

    def name(self, m):
        kind = self.majors[m[1]]
        return f"{kind}{m[2]}{self.minors.get(m[3], '?') if kind == 'dm' else m[3]}"

    def same(self, line):
        return self.find.sub(self.name, line) if self.find else line


def answers(text):
    """[episode: [(step, its output)]]"""
    episodes, now, numbers = [], [], Numbers()
    for line in text.splitlines():
        if line.startswith("+ "):
            now.append((line[2:], []))
            if line == "+ x":
                episodes.append(now)
                now = []
        elif line.startswith("#"):
            numbers.learn(line)
        elif (now or episodes) and not line.startswith("dmuse: "):      # a message that the kernel does not print
            (now or episodes[-1])[-1][1].append(numbers.same(line))
    return episodes + ([now] if now else [])


EVENTS = re.compile(r"(Event number: +|(?:[^:]*:){7})(\d+)")


def same_but_events(kernel, session, fewer, more):
    """
    FEWER: of simultaneous failures of a stripe, the kernel makes as many events as its work queue gets to; here each is one. MORE: a
    mirror that begins with equal legs (nosync) says so once, from a work queue, when its table is loaded: nobody listens yet then, but
    if the queue is late, somebody does. Here nothing is said.
    """
    for one, two in zip(kernel, session):
        k, s = EVENTS.fullmatch(one), EVENTS.fullmatch(two)
        if one != two and not (k and s and k[1] == s[1] and (fewer if int(k[2]) < int(s[2]) else more)):
            return False
    return len(kernel) == len(session)


def is_failed_handover(step, answer):
    """
    A resume that is refused because the table's store is another one's: here the table before stays, on Linux the device is suspended
    with the new one. So what follows cannot be compared.
    """
    return step.startswith("d resume") and any(line.startswith("device-mapper: resume ioctl") for line in answer)


def first_difference(episode, kernel, session):
    """(number of the first step with different answers, the kernel's, the session's), or None"""
    striped = failed = snapshot = nosync = False
    for k, step in enumerate(episode):
        one, two = (side[k] if k < len(side) else (step, ["(nothing any more)"]) for side in (kernel, session))
        striped, failed = striped or "striped" in step, failed or "Input/output error" in one[1]
        nosync = nosync or (" mirror " in step and " nosync " in step)
        if one != two and not same_but_events(one[1], two[1], striped and failed, nosync):
            return k, one[1], two[1]
        snapshot = snapshot or " snapshot " in step
        if snapshot and is_failed_handover(step, one[1]):
            return None
    return None


def before_failure(found):
    """How many episodes ended before programs were killed in one, or nothing more arrived."""
    for n, episode in enumerate(found):
        if episode[-1][0] != "x" or any(re.fullmatch(r"= -\d+|stuck", line) for _, lines in episode for line in lines):
            return n
    return len(found)


def compare(episodes, kernel, session):
    """{number of an episode: its first difference}"""
    found = {n: first_difference(e, *(side[n] if n < len(side) else [] for side in (kernel, session)))
             for n, e in enumerate(episodes) if kernel[n:n + 1] != [None]}
    return {n: bad for n, bad in found.items() if bad}


class Sides:
    def __init__(self, build, kernel):
        self.build, self.kernel = os.path.abspath(build), kernel
        self.helper = os.path.join(self.build, "tests", "kernel", "libsteps.so")
        self.seconds = {"kernel": 0.0, "session": 0.0}

    def times(self):
        return ", ".join(f"{side} {seconds:.0f} s" for side, seconds in self.seconds.items())

    def on_kernel(self, steps, directory):
        script = os.path.join(directory, "script")
        with open(script, "w", encoding="utf-8") as f:
            f.write("cd /tmp && STEPS=/steps LD_PRELOAD=/libsteps.so dmsetup\n")
        return [GUEST, "--kernel", self.kernel, "--seconds", "7200", "--disk", str(DISK_BYTES), "--add", f"{steps}=/steps",
                "--add", f"{self.helper}=/libsteps.so", script]

    def in_session(self, steps, directory):
        disks = [os.path.join(directory, name) for name in ("vda", "vdb")]
        for disk in disks:
            with open(disk, "wb") as f:
                f.truncate(DISK_BYTES)
        return [os.path.join(self.build, "dmuse"), "exec", "--disk", f"vda={disks[0]}", "--disk", f"vdb={disks[1]}", "--",
                "env", f"STEPS={steps}", f"LD_PRELOAD={self.helper}", "LC_ALL=C", "dmsetup"]

    def ask(self, side, lines, out):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="dmuse-") as directory:
            steps = os.path.join(directory, "steps")
            with open(steps, "w", encoding="utf-8") as f:
                f.write("\n".join(lines) + "\n")
            command = (self.on_kernel if side == "kernel" else self.in_session)(steps, directory)
            environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
            ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=environment, cwd=directory, check=False)
        self.seconds[side] += time.monotonic() - began
        out[side] = (answers(ran.stdout.decode(errors="replace")), ran.stderr.decode(errors="replace"), ran.returncode)

    def some(self, side, episodes):
        """The answers before a guest's kernel crashed: [] if the first episode was already too much for it."""
        out = {}
        self.ask(side, [line for e in episodes for line in e], out)
        found, errors, status = out[side]
        if not found:
            raise Broken(f"the {side} answered nothing: status {status}, {errors}")
        if FAILED_BY_ITSELF not in errors:
            return found
        print(f"the {side} failed by itself: {errors}", flush=True)
        return found[:before_failure(found)]

    def alone(self, side, episodes):
        """The answers of one side; None for an episode that crashes its kernel: then there is nothing to compare."""
        found = []
        while len(found) < len(episodes):
            more = self.some(side, episodes[len(found):])
            if not more:
                print(f"not compared: episode {len(found)}", flush=True)
            found += more or [None]
        return found

    def differences(self, episodes):
        out = {}
        threads = [threading.Thread(target=lambda side=side: out.update({side: self.alone(side, episodes)}))
                   for side in self.seconds]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if len(out) < 2:
            raise Broken("one side could not be asked")
        return compare(episodes, out["kernel"], out["session"])
