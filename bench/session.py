# SPDX-License-Identifier: BSD-2-Clause
"""What a session costs the programs in it (bench_session.c): inside compared with outside."""
import contextlib

import servers
from measure import Row, Task, call, name_values

GROUP = "What a session costs the programs in it"


@contextlib.contextmanager
def tasks(plan, place):
    program = f"{place.build}/bench/bench_session"
    rows = [Row("session.syscall_ns", GROUP, "system call (getppid)", "ns", "less"),
            Row("session.syscall_beyond_ns", GROUP, "system call, more than outside", "ns", "less"),
            Row("session.open_us", GROUP, "open and close an ordinary file", "µs", "less"),
            Row("session.open_beyond_us", GROUP, "open and close, more than outside", "µs", "less")]
    outside = {}        # of the current round

    def measure(around):
        values = {f"session.{k}": v for k, v in name_values(call(*around, program)).items()}
        if not around:
            outside.update(values)
        elif outside:
            for what, unit in (("syscall", "ns"), ("open", "us")):
                name = f"session.{what}_{unit}"
                values[f"session.{what}_beyond_{unit}"] = values[name] - outside[name]
        return values

    with contextlib.ExitStack() as stack:
        daemon = servers.Dmuse(place.dmuse, f"{place.directory}/session")
        stack.callback(daemon.stop)
        around = daemon.session()
        yield [Task("session", {"outside": lambda: measure(()), "dmuse": lambda: measure(around)}, rows,
                    plan.pick(5, 3, 1), 1, "bench_session, outside and in dmuse exec")]
