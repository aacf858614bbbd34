# SPDX-License-Identifier: BSD-2-Clause
"""What a session costs the programs in it (bench_session.c): inside beside outside."""
import contextlib

import fuse
import servers
from measure import Absent, Row, Task, call, name_values

GROUP = "What a session costs the programs in it"


@contextlib.contextmanager
def tasks(plan, place):
    program = f"{place.build}/bench/bench_session"
    if not fuse.has_exec(place.dmuse):
        raise Absent("this dmuse has no exec")
    rows = [Row("session.syscall_ns", GROUP, "system call (getppid)", "ns", "less"),
            Row("session.open_us", GROUP, "open and close an ordinary file", "µs", "less"),
            Row("session.open_beyond_us", GROUP, "the same, more than outside", "µs", "less")]
    outside = {}        # of the round that is under way

    def measure(around):
        values = {f"session.{k}": v for k, v in name_values(call(*around, program)).items()}
        if not around:
            outside.update(values)
        elif outside:
            values["session.open_beyond_us"] = values["session.open_us"] - outside["session.open_us"]
        return values

    with contextlib.ExitStack() as stack:
        daemon = servers.Dmuse(place.dmuse, f"{place.folder}/session")
        stack.callback(daemon.stop)
        around = (place.dmuse, "--socket", daemon.control, "exec", "--")
        call(*around, "true")
        yield [Task("session", {"outside": lambda: measure(()), "dmuse": lambda: measure(around)}, rows,
                    plan.pick(5, 3, 1), 1, "bench_session, outside and in dmuse exec")]
