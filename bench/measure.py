# SPDX-License-Identifier: BSD-2-Clause
"""Rows (what is shown) and tasks (what measures them): contestants take turns, round by round; medians count."""
import os
import statistics
import subprocess
import sys
import time

MINE = "dmuse"


class Absent(Exception):
    """A contestant cannot take part on this machine; the text is the reason."""


class Failed(Exception):
    """A measurement failed."""


class Plan:
    """How long everything may take. KEY rows are those on which bars depend."""

    def __init__(self, mode):
        self.mode = mode
        self.rounds, self.seconds = {"full": (3, 0.6), "quick": (2, 0.5), "tiny": (1, 0.1)}[mode]
        self.key_rounds, self.key_seconds = {"full": (5, 1.2), "quick": (3, 0.5), "tiny": (1, 0.1)}[mode]

    def pick(self, full, quick, tiny):
        return {"full": full, "quick": quick, "tiny": tiny}[self.mode]


class Row:
    """BETTER: 'more' or 'less'. A row ID.cpu belongs to row ID and has no line of its own."""

    def __init__(self, id, group, name, unit, better="more"):
        self.id, self.group, self.name, self.unit, self.better = id, group, name, unit, better
        self.values = {}        # contestant -> one value per round

    def add(self, contestant, value):
        self.values.setdefault(contestant, []).append(value)

    def ratio(self, other):
        """The ratio of mine to the other's: the median of the rounds, in each of which both saw the same noise."""
        pairs = [(a, b) for a, b in zip(self.values.get(MINE, ()), self.values.get(other, ())) if b]
        return statistics.median(a / b for a, b in pairs) if pairs else None

    def record(self):
        return {"id": self.id, "group": self.group, "name": self.name, "unit": self.unit, "better": self.better,
                "values": {c: {"median": statistics.median(v), "rounds": v} for c, v in self.values.items()},
                "ratios": {c: r for c in self.values if c != MINE and (r := self.ratio(c)) is not None}}


class Task:
    """CONTESTANTS: name -> function that measures once and returns {row id: value}."""

    def __init__(self, name, contestants, rows, rounds=1, seconds=1.0, command=None):
        self.name, self.contestants, self.rows = name, contestants, rows
        self.rounds, self.seconds, self.command = rounds, seconds, command

    def cost(self):
        return self.rounds * len(self.contestants) * (self.seconds + 0.45)


class Progress:
    """One line on a terminal, one line per family elsewhere."""

    def __init__(self, total):
        self.total, self.done, self.began = total, 0.0, time.monotonic()
        self.terminal = sys.stderr.isatty()

    def say(self, text):
        if self.terminal:
            left = max(0, round(self.total - self.done))
            sys.stderr.write(f"\r\033[K{self.done / self.total:4.0%}  {left // 60}:{left % 60:02} left  {text[:90]}")
            sys.stderr.flush()

    def family(self, name, tasks):
        if not self.terminal:
            print(f"{name}: about {sum(t.cost() for t in tasks):.0f} s ...", file=sys.stderr, flush=True)

    def clear(self):
        if self.terminal:
            sys.stderr.write("\r\033[K")


def run_tasks(tasks, progress, notes):
    """Round by round, so that a busy moment of the machine does not affect only one row or one contestant."""
    for n in range(max((t.rounds for t in tasks), default=0)):
        for task in tasks:
            if n >= task.rounds:
                continue
            order = list(task.contestants)
            for k in range(len(order)):     # each is first as often as the others
                measure_once(task, order[(n + k) % len(order)], progress, notes)


def measure_once(task, contestant, progress, notes):
    progress.say(f"{task.name}: {contestant}")
    rows = {row.id: row for row in task.rows}
    try:
        for id, value in task.contestants[contestant]().items():
            rows[id].add(contestant, value)
    except (Absent, Failed) as e:
        kind = "left out" if isinstance(e, Absent) else "FAILED"
        note = f"{task.name}: {contestant}: {kind}: {e}"
        if note not in notes:
            notes.append(note)
    progress.done += task.cost() / task.rounds / len(task.contestants)


def call(*command, timeout=120, **kw):
    """Returns its output; if a command fails, this measurement fails with its messages."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, **kw)
    except FileNotFoundError:
        raise Absent(f"there is no {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)}: took longer than {timeout} s") from None
    if done.returncode:
        words = " ".join((done.stdout[-300:] + done.stderr[-300:]).split())
        raise Failed(f"{os.path.basename(command[0])} exited with {done.returncode}: {words}")
    return done.stdout


def name_values(text):
    """The 'name value' lines that our own measuring programs print."""
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}
