# SPDX-License-Identifier: BSD-2-Clause
"""What was measured, and on what."""
import os
import pathlib
import platform
import subprocess
import time

TOOLS = {"nbdkit": ["nbdkit", "--version"], "qemu": ["qemu-storage-daemon", "--version"], "fio": ["fio", "--version"],
         "nbdfuse": ["nbdfuse", "--version"], "dmsetup": ["dpkg-query", "-W", "-f", "${Version}", "dmsetup"]}


def first_line(command, **kw):
    try:
        out = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **kw).stdout
    except FileNotFoundError:
        return "none"
    return (out.splitlines() or ["none"])[0]


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def describe(dmuse, root):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": {"cpu": cpu_model(), "cpus": os.cpu_count(), "memory_mb": memory, "kernel": platform.release()},
            "versions": {"dmuse": first_line([dmuse, "--version"]),
                         "commit": first_line(["git", "-C", str(root), "describe", "--always", "--dirty"]),
                         **{name: first_line(command) for name, command in TOOLS.items()}}}
