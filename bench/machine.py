# SPDX-License-Identifier: BSD-2-Clause
"""What was measured, and on which machine."""
import os
import pathlib
import platform
import resource
import subprocess
import time

TOOLS = {"nbdkit": ["nbdkit", "--version"], "qemu": ["qemu-storage-daemon", "--version"], "fio": ["fio", "--version"],
         "nbdfuse": ["nbdfuse", "--version"], "dmsetup": ["dpkg-query", "-W", "-f", "${Version}", "dmsetup"]}


def first_line(command, **kw):
    try:
        out = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **kw).stdout
    except OSError:    # also a directory of PATH that is not accessible
        return "none"
    return (out.splitlines() or ["none"])[0]


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def cpu_used():
    """In seconds: (CPU time of all programs, of this one and its children, available)"""
    first = [int(x) / os.sysconf("SC_CLK_TCK") for x in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = first[3] + first[4]
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(first) - idle, sum(r.ru_utime + r.ru_stime for r in own), sum(first)


def others_percent(before):
    """The share of the machine that programs outside the benchmark used since BEFORE, a cpu_used()."""
    used, own, there = (b - a for a, b in zip(before, cpu_used()))
    return round(max(0, 100 * (used - own) / there), 1) if there else 0.0


def describe(dmuse, root):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": {"cpu": cpu_model(), "cpus": os.cpu_count(), "memory_mb": memory, "kernel": platform.release()},
            "versions": {"dmuse": first_line([dmuse, "--version"]),
                         "commit": first_line(["git", "-C", str(root), "describe", "--always", "--dirty"]),
                         **{name: first_line(command) for name, command in TOOLS.items()}}}
