# SPDX-License-Identifier: BSD-2-Clause
"""Stacks of devices of every target in targets.list, on two disks whose power is cut at one instant."""
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DISKS = ("disk0", "disk1")
UNIT = 4096             # lengths are multiples of so many sectors


class Way:
    """One way to use a target: a line of targets.list."""
    def __init__(self, line):
        self.name, rest = line.split(None, 1)
        rest, _, self.zeroed = (part.strip() for part in rest.partition(" ~ "))
        rest, _, self.beside = (part.strip() for part in rest.partition(" + "))
        table, _, self.message = (part.strip() for part in rest.partition(" ! "))
        self.lines = [part.strip() for part in table.split(";")]
        self.joins = "{b}" in table + self.beside
        self.logs = "{log}" in table

    @staticmethod
    def fill(text, n, **names):
        """{n/2} is a number, {n/512:x} a hexadecimal one."""
        def value(found):
            word, _, form = found[1].partition(":")
            return names[word] if word in names else format(eval(word.replace("/", "//"), {"__builtins__": {}}, {"n": n}), form)
        return re.sub(r"\{([^}]*)\}", value, text)

    def table(self, n, **names):
        return "\n".join(self.fill(line, n, **names) for line in self.lines)

    def sectors(self, n):
        start, length = self.table(n, a="a", b="b", log="log", log2="log2").splitlines()[-1].split()[:2]
        return int(start) + int(length)


def read_list():
    """The ways, and the names of the targets that have no place here."""
    with open(HERE / "targets.list", encoding="utf-8") as f:
        lines = [line.strip() for line in f if line.strip() and not line.startswith("#")]
    return ([Way(line) for line in lines if not line.startswith("- ")],
            {line[2:].split(":")[0] for line in lines if line.startswith("- ")})


def not_listed():
    """Targets of dmuse that targets.list does not know."""
    text = (ROOT / "src/targets/targets.list").read_text(encoding="utf-8")
    ways, excused = read_list()
    return sorted(set(re.findall(r"^TARGET\((\w+)\)", text, re.M)) - {way.name for way in ways} - excused)


class Device:
    def __init__(self, name, table, message="", zeroed=None):
        self.name, self.table, self.message = name, table, message
        self.zeroed = zeroed    # the path of what begins with zeros before this is made

    def sectors(self):
        start, length = self.table.splitlines()[-1].split()[:2]
        return int(start) + int(length)


class Stack:
    """Two disks, ways on each of them, one that joins them, and ways on top. What was used least is used next."""
    def __init__(self, rng, used):
        ways, _ = read_list()
        self.rng, self.used = rng, used
        single = [way for way in ways if not way.joins]
        below = self.pick(single, rng.choice((0, 1, 1, 2)))
        join = self.pick([way for way in ways if way.joins], 1)
        self.below, self.above = below, join + self.pick(single, rng.choice((1, 2, 3)))
        self.devices = []       # from the bottom up
        self.beside = []        # names of those that always show the same

    def pick(self, ways, n):
        some = []
        for _ in range(n):
            way = min((w for w in ways if w not in some), key=lambda w: (self.used.get(w.lines[0], 0), self.rng.random()))
            self.used[way.lines[0]] = self.used.get(way.lines[0], 0) + 1
            some.append(way)
        self.rng.shuffle(some)
        return some

    def sectors(self, n):
        for way in self.below + self.above:
            n = way.sectors(n)
        return n

    def add(self, way, n, a, b):
        name = f"d{len(self.devices)}"
        log = f"memory,size=1G:log-{name}"
        below = {"a": f"/dev/mapper/{a}", "b": f"/dev/mapper/{b}"}
        zeroed = way.fill(way.zeroed, n, **below)
        if way.beside:          # it must be there before what it is to keep changes
            self.beside.append(f"{name}-beside")
            self.devices.append(Device(f"{name}-beside", way.fill(way.beside, n, **below), zeroed=zeroed))
            zeroed = None
        self.devices.append(Device(name, way.table(n, log=log, log2=f"{log}-2", **below), way.fill(way.message, n), zeroed))
        return name

    def build(self, least, seed):
        """The tables of a stack of at least so many sectors; the name of the device on top."""
        n = UNIT
        while self.sectors(n) < least:
            n += UNIT
        for disk in DISKS:
            table = f"0 {n} powercut memory,size={n * 512}:{disk} 0 seed {seed} memory 67108864"
            self.devices.append(Device(disk, table))
        a, b = DISKS
        for way in self.below:
            a, b, n = self.add(way, n, a, b), self.add(way, n, b, a), way.sectors(n)
        for way in self.above:
            a, n = self.add(way, n, a, b), way.sectors(n)
        return a

    def off_table(self, device):
        """Each request fails, for it goes to a disk whose power is off."""
        disk, n = self.devices[0], device.sectors()
        return "\n".join(f"{at} {min(n - at, disk.sectors())} linear /dev/mapper/{disk.name} 0" for at in range(0, n, disk.sectors()))

    def __str__(self):
        return " / ".join([way.name for way in reversed(self.above)] + [f"2 {way.name}" for way in reversed(self.below)])
