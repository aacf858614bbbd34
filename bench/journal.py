# SPDX-License-Identifier: BSD-2-Clause
"""The journal of the devices' state (bench_journal.c): transactions on tmpfs and on the build directory's disk."""
import contextlib
import pathlib

from measure import Row, Task, call, name_values

GROUP = "The journal: transactions of 300 bytes"
ROWS = [("commits_s", "written", "a second", "more"), ("durable_s", "each on disk before the next", "a second", "more"),
        ("durable_32_s", "32 wait for the disk at a time", "a second", "more"),
        ("open_100000_ms", "to open one with 100,000 keys", "ms", "less")]


def task(plan, place, where, directory):
    words = [f"{place.build}/bench/bench_journal", str(directory), plan.pick("1", "0.5", "0.1")]

    def measure():
        return {f"journal.{where}.{name}": value for name, value in name_values(call(*words)).items()}

    rows = [Row(f"journal.{where}.{id}", GROUP, f"{where}: {what}", unit, better) for id, what, unit, better in ROWS]
    return Task(f"journal on {where}", {"dmuse": measure}, rows, plan.pick(3, 2, 1), plan.pick(4, 2, 1), " ".join(words))


@contextlib.contextmanager
def tasks(plan, place):
    disk = pathlib.Path(place.image("cache")).parent
    yield [task(plan, place, "tmpfs", place.fast), task(plan, place, "disk", disk)]
