# SPDX-License-Identifier: BSD-2-Clause
"""
The second boot: devices of a tables file and of a state on the disk are there before what needs them; the kernel's NBD
client can use them.
"""
import os

from report import SOCKET, active, dmuse, equal, journal, ok, out, part, run, show, skip, until
from writers import DeviceWriter

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
    """A device as a block device of the kernel; that one does not connect again by itself, so nobody dies here."""
    if not os.path.exists(NBD):
        skip("the kernel's NBD client", "this kernel has no nbd")
        return
    out("nbd-client", "-unix", "/run/dmuse/nbd", NBD, "-N", "boot", "-timeout", "10")
    writer = DeviceWriter(NBD)
    writer.start()
    until("it writes", lambda: writer.failure or writer.writes > 20)
    equal("the kernel's NBD client writes to a device, and reads what it wrote", (None, 0), (writer.end(), writer.failed))
    out("nbd-client", "-d", NBD)
