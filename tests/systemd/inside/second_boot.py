# SPDX-License-Identifier: BSD-2-Clause
"""
The second boot: devices of a tables file and of a state on the disk are there before what needs them; the kernel's NBD
client can use them, over a reload and, if it connects again, over a death.
"""
import os
import signal

from kernel_nbd import Device
from report import (SERVICE, SOCKET, active, die, dmuse, equal, journal, ok, out, part, run, say, show, skip, until)
from writers import DeviceWriter

NBD = "/dev/nbd0"


def check():
    for function in (booted, nbd_client, kernel_client):
        part(function)


def booted():
    equal("the service and its sockets are active after the boot", ("active", "active"), (active(), active(SOCKET)))
    with open("/mnt/state", encoding="ascii") as f:
        equal("the devices are those before the boot", f.read(), dmuse("info", "-c", "--noheadings", "-o", "name,uuid,minor,suspended,tables_loaded"))
    equal("one of the tables file", "0 65536 linear", " ".join(dmuse("table", "boot").split()[:3]))
    ok("systemctl status tells of those that could not be made", "1 failed" in show("StatusText"), show("StatusText"))
    wrong = [e for e in journal("DM_NAME=wrong") if "/nowhere" in e["MESSAGE"]]
    equal("and the journal why", ["3"], [e["PRIORITY"] for e in wrong])


def writes(writer):
    """It has written from now on, or has failed."""
    before = writer.writes
    until("it writes", lambda: writer.failure or writer.writes > before + 5)
    return not writer.failure and not writer.failed


def reloads(writer, who):
    pid, times = show("MainPID"), 3
    for _ in range(times):
        status, _, stderr = run("systemctl", "reload", SERVICE)
        if not ok(f"{who} goes on after a reload", not status and writes(writer), stderr, writer.failure):
            break
    equal("of the same process", pid, show("MainPID"))


def nbd_client():
    """A device as a block device of the kernel. nbd-client has no second connection, so nobody dies here."""
    if not os.path.exists(NBD):
        skip("the kernel's NBD client", "this kernel has no nbd")
        return
    out("nbd-client", "-unix", "/run/dmuse/nbd", NBD, "-N", "boot", "-timeout", "30")
    writer = DeviceWriter(NBD)
    writer.start()
    ok("nbd-client's device can be written to", writes(writer), writer.failure)
    reloads(writer, "nbd-client's device")
    equal("it has read what it wrote, and no request has failed", (None, 0), (writer.end(), writer.failed))
    out("nbd-client", "-d", NBD)


def kernel_client():
    """A client that waits for another connection."""
    if not os.path.exists(NBD):
        skip("the kernel's NBD client that connects again", "this kernel has no nbd")
        return
    device = Device(1, "boot")
    writer = DeviceWriter("/dev/nbd1")
    writer.start()
    ok("a device that outlives its connection can be written to", writes(writer), writer.failure)
    for i in range(3):
        took = die(signal.SIGKILL)
        say(f"back after {took:.2f} s")
        until("it connects again", lambda wanted=i + 1: device.failure or device.again >= wanted)
        if not ok("killed: it goes on", not device.failure and writes(writer), device.failure, writer.failure):
            break
    again = device.again
    reloads(writer, "it")
    equal("for which no other connection was needed", again, device.again)
    equal("it has read what it wrote, and no request has failed in all of this", (None, 0), (writer.end(), writer.failed))
    say(f"{writer.writes} durable writes, {device.again} further connections")
    device.end()
