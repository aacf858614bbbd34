# SPDX-License-Identifier: BSD-2-Clause
"""Commands: over the control socket (bench_control.c), through dmsetup in a session; swaps of a table under load."""
import contextlib
import pathlib
import subprocess
import tempfile
import time

import fio
import servers
from measure import Absent, Row, Task, call, name_values

GROUP, BESIDE = "Control, one connection", "Control, one connection, in a daemon with a session"
DMSETUP = "dmsetup in a session, one process a command"
ROWS = [("cycles_s", "create, load, resume, remove", "cycles/s", "more"),
        ("cycles_ahead_s", "the same, 32 sent ahead", "cycles/s", "more"),
        ("creates_s", "create", "a second", "more"), ("loads_s", "load", "a second", "more"),
        ("resumes_s", "resume", "a second", "more"), ("removes_s", "remove", "a second", "more"),
        ("swaps_s", "swap (load, resume)", "a second", "more"),
        ("device_bytes", "memory of a device", "bytes", "less"),
        ("idle_cpu_percent", "CPU of all of them, idle", "%", "less")]
SWAPS = [("swap_p50_us", "swap under 32 random reads: median", "µs", "less"),
         ("swap_p99_us", "swap under 32 random reads: 99 of 100", "µs", "less")]


def socket_task(plan, place, table, name, group, session):
    """With a new daemon each time: memory that an earlier round has freed would count as none."""
    devices = plan.pick(10_000, 10_000, 100)

    def measure(options=(), devices=devices):
        words = [table, str(devices), plan.pick("1000", "700", "50")]
        daemon = servers.Dmuse(place.dmuse, f"{place.directory}/{name}", *options)
        try:
            if session:
                daemon.session()
            values = name_values(call(f"{place.build}/bench/bench_control", daemon.control, *words))
        finally:
            daemon.stop()
        return {f"{name}.{k}": v for k, v in values.items()}

    def on_disk():
        """Where each command waits for the disk, so the devices are few."""
        with tempfile.TemporaryDirectory(dir=pathlib.Path(place.image("cache")).parent) as state:
            return {k: v for k, v in measure(["--state", state], 100).items() if k.endswith("_s")}

    contestants = {"dmuse": measure}
    if not session:     # what the record of the state costs
        contestants.update({"ephemeral": lambda: measure(["--ephemeral"]), "state on disk": on_disk})
    many = {"bytes": f"{devices:,} devices: ", "%": f"{devices:,} devices: "}
    rows = [Row(f"{name}.{id}", group, many.get(unit, "") + what, unit, better) for id, what, unit, better in ROWS]
    return Task(name, contestants, rows, plan.pick(3, 2, 1), plan.pick(7, 5, 1),
                "bench_control SOCKET TABLE 10000 1000")


def swap_task(plan, place, daemon, table):
    """Swaps while fio reads: how long the resume of a loaded table takes, including draining."""
    command = [f"{place.build}/bench/bench_control", daemon.control, table, "swap", "loaded"]

    def measure():
        load = subprocess.Popen(["fio", *fio.COMMON, "--runtime=60", "--ioengine=nbd", f"--size={place.size}",
                                 "--uri=" + daemon.uri("loaded", "unix"), *fio.words_of("randread-4k", 32, 1)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)     # until fio reads; how long is not important
            return {f"control.{k}": v for k, v in name_values(call(*command)).items()}
        finally:
            load.terminate()
            load.wait()

    rows = [Row("control." + id, GROUP, name, unit, better) for id, name, unit, better in SWAPS]
    return Task("swap", {"dmuse": measure}, rows, plan.pick(3, 1, 1), 2.5, "bench_control SOCKET TABLE swap NAME")


def dmsetup_task(plan, place, daemon, table):
    around = daemon.session()
    count = plan.pick(50, 30, 5)
    verbs = {"create": f'create d$i --table "{table}"', "load": f'load d$i --table "{table}"', "swap": "resume d$i",
             "remove": "remove d$i"}

    def rate(words):
        script = f"i=0; while [ $i -lt {count} ]; do dmsetup {words} || exit 1; i=$((i + 1)); done"
        began = time.monotonic()
        call(*around, "sh", "-c", script)
        return count / (time.monotonic() - began)

    rows = [Row(f"control.dmsetup.{verb}_s", DMSETUP, verb, "a second") for verb in verbs]
    return Task("dmsetup", {"dmuse": lambda: {f"control.dmsetup.{v}_s": rate(w) for v, w in verbs.items()}}, rows,
                plan.pick(3, 1, 1), 2, f"dmuse exec -- dmsetup create|load|resume|remove, {count} times")


@contextlib.contextmanager
def tasks(plan, place):
    with contextlib.ExitStack() as stack:
        daemon = servers.Dmuse(place.dmuse, f"{place.directory}/control-bench")
        stack.callback(daemon.stop)
        table = f"0 {place.size // 512} linear {place.image('tmpfs')} {servers.OFFSET // 512}"
        daemon.create("loaded", table)
        got = [socket_task(plan, place, table, "control", GROUP, False), swap_task(plan, place, daemon, table)]
        try:
            got.append(dmsetup_task(plan, place, daemon, table))
            got.append(socket_task(plan, place, table, "control.session", BESIDE, True))
        except Absent as e:
            place.notes.append(f"what needs a session is left out: {e}")
        yield got
