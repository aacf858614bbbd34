# SPDX-License-Identifier: BSD-2-Clause
"""
The second boot: devices of a tables file and of a state on the disk are there before what needs them; the kernel's NBD
client on one of them, with a file system, loses nothing when the daemon dies.
"""
import os
import signal

from first_boot import die
from report import SOCKET, active, dmuse, equal, journal, ok, out, part, run, say, show, skip, until
from writers import FileWriter

NBD = "/dev/nbd0"


def check():
    for function in (booted, kernel_client):
        part(function)


def booted():
    equal("the service and its sockets are active after the boot", ("active", "active"), (active(), active(SOCKET)))
    with open("/mnt/state", encoding="ascii") as f:
        equal("the devices are those before the boot", f.read(), dmuse("info", "-c", "--noheadings", "-o", "name,uuid,minor,suspended,tables_loaded"))
    equal("one of the tables file", "0 65536 linear", " ".join(dmuse("table", "boot").split()[:3]))
    ok("systemctl status tells of those that could not be made", "1 failed" in show("StatusText"), show("StatusText"))
    wrong = [e for e in journal("DM_NAME=wrong") if "/nowhere" in e["MESSAGE"]]
    equal("and the journal why", ["3"], [e["PRIORITY"] for e in wrong])


def kernel_client():
    """nbd-client -persist: the kernel connects again by the program's help."""
    if not os.path.exists(NBD):
        skip("the kernel's NBD client", "this kernel has no nbd")
        return
    out("nbd-client", "-unix", "/run/dmuse/nbd", NBD, "-N", "boot", "-persist", "-timeout", "10")
    out("mkfs.ext4", "-q", NBD)
    os.makedirs("/mnt/nbd")
    out("mount", NBD, "/mnt/nbd")
    with open("/mnt/nbd/file", "wb") as f:
        f.write(bytes(64 * 4096))
    writer = FileWriter("/mnt/nbd/file")
    writer.start()
    for _ in range(5):
        writes = writer.writes
        die(signal.SIGKILL)
        try:
            say(f"the writer goes on after {until('the writer goes on', lambda: writer.failure or writer.writes > writes + 3):.0f} s")
        except TimeoutError:
            ok("the writer goes on", False, run("dmesg")[1][-2000:], run("pgrep", "-a", "nbd-client")[1])
            return
    equal("nbd-client -persist: a program on ext4 sees no error while the daemon is killed", None, writer.end())
    say(f"{writer.writes} synced writes")
    out("umount", "/mnt/nbd")
    equal("and the file system is clean", 0, run("e2fsck", "-fn", NBD)[0])
    out("nbd-client", "-d", NBD)
