# SPDX-License-Identifier: BSD-2-Clause
"""The core in one process (bench_core.c): nanoseconds per request, beyond the copy that any server must make."""
import contextlib
import os

from measure import Row, Task, call, name_values

READ = "In process, random read 4 KiB from memory"
TABLE, STACK, THREADS = f"{READ}: lines of a table", f"{READ}: devices on one another", f"{READ}: io threads"
SNAPSHOT = f"{READ}: through a snapshot, where the origin has it"
LINES = (1, 100, 10_000, 1_000_000)
SECONDS = 300       # for one run, on a machine with slow memory


def threads():
    n = 1
    while n <= (os.cpu_count() or 1) and n <= 64:
        yield n
        n *= 2


def count(n, thing):
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def rows():
    got = [Row("core.copy.ns", TABLE, "the copy alone", "ns", "less")]
    got += [Row(f"core.lines.{n}.ns", TABLE, count(n, "line"), "ns", "less") for n in LINES]
    got += [Row(f"core.lines.{n}.beyond", TABLE, f"{count(n, 'line')}, beyond the copy", "ns", "less") for n in LINES]
    got += [Row(f"core.lines.{n}.ratio", TABLE, f"{n:,} lines to 1 line", "times", "less") for n in LINES[1:]]
    got += [Row(f"core.stack.{n}.ns", STACK, count(n, "device"), "ns", "less") for n in range(1, 11)]
    got.append(Row("core.stack.10.ratio", STACK, "10 devices to 1", "times", "less"))
    for n in (1, 2)[:os.cpu_count()]:
        got.append(Row(f"core.snapshot.{n}.beyond", SNAPSHOT, f"{count(n, 'io thread')}, beyond linear", "ns", "less"))
        got.append(Row(f"core.snapshot.{n}.lookup", SNAPSHOT, f"{count(n, 'io thread')}, the lookup alone", "ns", "less"))
    got += [Row(f"core.threads.{n}.million_reads_s", THREADS, count(n, "io thread"), "million/s") for n in threads()]
    got += [Row(f"core.threads.{n}.{what}", THREADS, f"{n} {whose} to 1", "times") for n in threads() if n > 1
            for what, whose in (("ratio", "io threads"), ("copy_ratio", "threads that only copy"))]
    return got


@contextlib.contextmanager
def tasks(plan, place):
    command = [f"{place.build}/bench/bench_core", *plan.pick([], ["--quick"], ["--tiny"])]
    all_rows = rows()
    known = {row.id for row in all_rows}

    def measure():
        values = {"core." + name: value for name, value in name_values(call(*command, timeout=SECONDS)).items()}
        return {id: value for id, value in values.items() if id in known}

    yield [Task("core", {"dmuse": measure}, all_rows, 1, plan.pick(40, 15, 2), " ".join(command))]
