# SPDX-License-Identifier: BSD-2-Clause
"""A table of a million lines through command and daemon: time, memory, and what it costs an NBD client afterwards."""
import contextlib
import os
import statistics
import time

import fio
import servers
from measure import Row, Task

SIZE = 64 << 20                 # bytes over which the lines are scattered
PAIRS = 3                       # runs of fio, alternately
GROUP = "A table of many lines"


def measure(place, lines, seconds):
    """A new daemon each time: its peak would otherwise include the last round."""
    daemon = servers.Dmuse(place.dmuse, f"{place.directory}/load")
    try:
        began = time.monotonic()
        daemon.do("create", "many", "lines.table", cwd=place.directory)
        took = time.monotonic() - began
        peak = servers.status_kb(daemon.pid, "VmHWM") / 1024
        daemon.do("create", "one", "--table", f"0 {SIZE // 512} linear lines.img 0", cwd=place.directory)
        ratio = statistics.median(read(daemon, "one", seconds) / read(daemon, "many", seconds) for _ in range(PAIRS))
    finally:
        daemon.stop()
    return {"load.seconds": took, "load.peak_mb": peak, "load.nbd_ratio": ratio}


def read(daemon, name, seconds):
    words = ["--ioengine=nbd", "--uri=" + daemon.uri(name, "unix"), *fio.words_of("randread-4k", 32, 1)]
    return fio.run(words, seconds)[0]


@contextlib.contextmanager
def tasks(plan, place):
    lines = plan.pick(1_000_000, 1_000_000, 10_000)
    with open(place.directory / "lines.img", "wb") as f:
        f.write(os.urandom(SIZE))
    with open(place.directory / "lines.table", "w") as f:
        f.writelines(f"{n * 8} 8 linear lines.img {n * 7919 % (SIZE // 4096) * 8}\n" for n in range(lines))
    rows = [Row("load.seconds", GROUP, f"{lines:,} lines: create", "s", "less"),
            Row("load.peak_mb", GROUP, f"{lines:,} lines: the daemon's peak", "MB", "less"),
            Row("load.nbd_ratio", GROUP, f"NBD reads, 1 line to {lines:,}", "times", "less")]
    yield [Task("load", {"dmuse": lambda: measure(place, lines, plan.seconds)}, rows, plan.pick(2, 1, 1),
                3 + 2 * PAIRS * (plan.seconds + 0.4), "dmuse create many lines.table")]
