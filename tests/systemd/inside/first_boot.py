# SPDX-License-Identifier: BSD-2-Clause
"""
The first boot: sockets that start the service, its death in several ways under clients that go on, reload, what the journal
knows, and the end.
"""
import os
import re
import signal
import stat
import time

from report import (SERVICE, SOCKET, active, die, dmuse, equal, journal, main_pid, ok, out, part, run, say, show, until)
from writers import Clients, FileWriter

DISKS = "/var/lib/disks"
DROP_IN = f"/etc/systemd/system/{SERVICE}.d"
WATCHDOG = 15           # seconds


def check():
    for function in (sockets, readiness, journal_fields, devices, kills, watchdog, reloads, reload_that_fails, session_ends, stops,
                     three_deaths, before_the_next_boot):
        part(function)


def sockets():
    """Whoever connects first starts the service."""
    os.makedirs(DROP_IN)
    with open(f"{DROP_IN}/test.conf", "w", encoding="ascii") as f:
        f.write(f"[Service]\nWatchdogSec={WATCHDOG}\n")
    out("systemctl", "daemon-reload")
    equal("systemd finds nothing wrong with the units", (0, "", ""), run("systemd-analyze", "verify", "--man=no", SERVICE, SOCKET))
    equal("enabled, the sockets are there after the boot, and nothing runs yet", ("active", "inactive"), (active(SOCKET), active()))
    modes = [stat.S_IMODE(os.stat(path).st_mode) for path in ("/run/dmuse", "/run/dmuse/control", "/run/dmuse/nbd")]
    equal("they are root's", [0o700, 0o600, 0o600], modes)
    status, stdout, stderr = run("dmuse", "create", "first", "--table", "0 8 zero")
    equal("a command starts the service, not a daemon of its own", (0, "", ""), (status, stdout, stderr))
    equal("which is systemd's", "active", active())
    out("systemctl", "stop", SERVICE)
    equal("stopped, its sockets stay", ("active", "inactive"), (active(SOCKET), active()))
    run("nbdinfo", "--list", "nbd+unix:///?socket=/run/dmuse/nbd")
    equal("a client of NBD starts it, too", "active", active())
    out("systemctl", "stop", SERVICE)


def readiness():
    out("systemctl", "start", SERVICE)
    equal("started means ready", 0, run("dmuse", "ls")[0])
    equal("by notification", "notify", show("Type"))
    ok("the watchdog runs", int(show("WatchdogUSec").rstrip("s") or 0) == WATCHDOG or show("WatchdogUSec") == f"{WATCHDOG}s", show("WatchdogUSec"))
    out("systemctl", "reset-failed", SERVICE)           # four starts within ten seconds are too many
    out("systemctl", "restart", SERVICE)
    equal("restarted, it is active", "active", active())


def journal_fields():
    """What people filter by."""
    dmuse("create", "broken", "--table", "0 8 error")
    run("nbdcopy", "nbd+unix:///broken?socket=/run/dmuse/nbd", "null:")
    dmuse("remove", "broken")
    entry = next((e for e in journal() if "broken" in e["MESSAGE"] and "failed" in e["MESSAGE"]), {})
    ok("a failed request is in the journal", entry, *[e["MESSAGE"] for e in journal()[-5:]])
    equal("as an error, without a prefix in its text", ("3", False), (entry.get("PRIORITY"), entry.get("MESSAGE", "<").startswith(("<", "dmuse:"))))
    equal("its unit, program and device are told", (SERVICE, "dmuse", "dmuse", "broken"),
          tuple(entry.get(field) for field in ("_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_COMM", "DM_NAME")))
    equal("so it is found by its device", 1, len(out("journalctl", "-b", "-o", "cat", "DM_NAME=broken").splitlines()))


def make(name, words=None, *options):
    with open(f"{DISKS}/{name}.img", "wb") as f:
        f.truncate(1 << 20)
    dmuse("create", name, *options, "--table", words or f"0 2048 linear {DISKS}/{name}.img 0")


NAMES = ("file", "memory", "mounted", "stacked", "suspended", "session")
clients = mounted = None


def snapshot():
    """All that must be the same afterwards."""
    columns = "name,uuid,minor,suspended,tables_loaded,readonly,events"
    return [dmuse("info", "-c", "--noheadings", "-o", columns), dmuse("table"), dmuse("table", "--inactive")]


def devices():
    global clients, mounted
    os.makedirs(DISKS)
    make("file", None, "--uuid", "TEST-file")
    make("memory", "0 2048 linear memory,size=1M:kept 0")
    make("mounted")
    make("stacked", "0 1024 linear file 1024\n1024 512 striped 2 8 mounted 1024 mounted 1536")
    make("suspended")
    make("session")
    dmuse("load", "suspended", "--table", "0 8 zero")
    dmuse("suspend", "suspended")
    os.makedirs("/mnt/devices")
    dmuse("mount", "/mnt/devices")
    clients, mounted = Clients("file", "memory"), FileWriter("/mnt/devices/mounted")
    mounted.start()
    out("systemd-run", "--unit=session", "--property=WorkingDirectory=/tests", "dmuse", "exec", "--",
        "/tests/program", "/dev/mapper/session", "/run/stop", "/run/report")
    until("the program in a session writes", lambda: session_writes() > 0)
    ok("devices, clients, a mount and a session", all_go_on())


def session_writes():
    try:
        with open("/run/report", encoding="ascii") as f:
            return int(f.read())
    except FileNotFoundError:
        return 0


def all_go_on():
    """Everybody has something answered from now on; or else the first failure."""
    before = clients.count(), mounted.count(), session_writes()

    def failures():
        return clients.failure or mounted.failure or (active("session") != "active" and "the program in the session ended")

    until("all go on", lambda: failures() or (clients.count() > before[0] and mounted.count() > before[1] and session_writes() > before[2]))
    if failures():
        say(failures())
    return not failures()


def kills():
    before, times = snapshot(), []
    for _ in range(5):
        times.append(die(signal.SIGKILL))
        if not ok("killed: all clients go on", all_go_on()):
            break
    say("back after " + ", ".join(f"{t:.2f} s" for t in times))
    equal("devices, uuids, numbers, tables, states are the same", before, snapshot())
    ok("NBD clients had to connect again", clients.connected_again() >= 5)
    ok("the journal says so", any("devices of an earlier daemon are back" in e["MESSAGE"] for e in journal()), *[e["MESSAGE"] for e in journal()[-10:]])


def watchdog():
    before = snapshot()
    took = die(signal.SIGSTOP)
    say(f"a daemon that hangs is replaced after {took:.1f} s (WatchdogSec={WATCHDOG})")
    ok("and not much later than the watchdog says", took < 2 * WATCHDOG + 15)
    equal("all is the same", before, snapshot())
    ok("and all clients go on", all_go_on())


def reloads():
    before, again, pid, restarts = snapshot(), clients.connected_again(), main_pid(), show("NRestarts")
    mounted.longest = 0
    for i in range(10):
        began = time.monotonic()
        status, _, stderr = run("systemctl", "reload", SERVICE)
        say(f"it took {time.monotonic() - began:.2f} s")
        if not ok(f"reload {i + 1} under I/O", not status and all_go_on(), stderr):
            break
    say(f"the longest that a synced write took: {mounted.longest:.2f} s")
    equal("it is the same process, and was not started again", (pid, restarts), (main_pid(), show("NRestarts")))
    equal("no client had to connect again", again, clients.connected_again())
    equal("all is the same", before, snapshot())
    ok("the watchdog still runs", show("WatchdogTimestampMonotonic") != "0")


def reload_that_fails():
    """A program that cannot take over."""
    pid, program = main_pid(), "/usr/local/bin/dmuse"
    os.rename(program, program + ".kept")
    with open(program, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 1\n")
    os.chmod(program, 0o755)
    status, _, _ = run("systemctl", "reload", SERVICE)
    os.rename(program + ".kept", program)
    ok("a reload with a program that does not run fails", status != 0)
    equal("and the service goes on", ("active", pid), (active(), main_pid()))
    ok("with all clients", all_go_on())


def session_ends():
    with open("/run/stop", "w", encoding="ascii"):
        pass
    until("the program in the session ends", lambda: active("session") in ("inactive", "failed"))
    said = out("journalctl", "-b", "-o", "cat", "-u", "session")
    ok("the program in the session saw no error in all of this", re.search(r"^no error [1-9]", said, re.M), said)
    equal("nor the one with a file of the mount", None, mounted.end())
    equal("nor the clients of NBD, which had every answer", None, clients.end())
    say(f"{clients.count()} writes of an NBD client, {mounted.count()} synced writes of a file, while it died and was reloaded")


def stops():
    """What was written and not flushed is on the disk, and nothing is left."""
    out("nbdsh", "-u", "nbd+unix:///file?socket=/run/dmuse/nbd", "-c", "h.pwrite(b'last words' + bytes(4086), 4096)")
    out("systemctl", "stop", SOCKET, SERVICE)
    with open(f"{DISKS}/file.img", "rb") as f:
        equal("stopped: what was written is on the disk", b"last words", f.read(4106)[4096:])
    equal("orderly", ("inactive", "success", "0"), (active(), show("Result"), show("ExecMainStatus")))
    with open("/proc/mounts", encoding="ascii") as f:
        mounts = f.read()
    ok("no mount is left", "/mnt/devices" not in mounts, mounts)
    equal("no socket", False, os.path.exists("/run/dmuse/control") or os.path.exists("/run/dmuse/nbd"))
    equal("no process", (1, "", ""), run("pgrep", "-a", "dmuse"))
    errors = [e["MESSAGE"] for e in journal("-p", "err") if e.get("_COMM") == "dmuse" and e.get("DM_NAME") != "broken"]
    equal("nothing in the journal is an error of dmuse", [], errors)


def three_deaths():
    """It is given up: an error and a word for everybody, and nobody hangs."""
    out("systemctl", "reset-failed", SERVICE)
    out("systemctl", "start", SOCKET)
    make("file")
    make("mounted")
    dmuse("mount", "/mnt/devices")
    writer = FileWriter("/mnt/devices/mounted")
    writer.start()
    while active() != "failed":
        pid = int(show("MainPID"))
        if pid:
            os.kill(pid, signal.SIGKILL)
    until("the program with a file of the mount is told", lambda: writer.failure)
    ok("too many deaths, and systemd gives up: who has a file open has an error", isinstance(writer.failure, OSError), writer.failure)
    _, _, stderr = run("dmuse", "ls", "--no-start")
    ok("a command says that there is no daemon", "no daemon" in stderr, stderr)
    out("systemctl", "reset-failed", SERVICE, SOCKET)
    out("systemctl", "start", SOCKET)
    equal("started again, the devices are there", "0 2048 linear", " ".join(dmuse("table", "file").split()[:3]))
    writer.end()
    dmuse("umount", "/mnt/devices")


def before_the_next_boot():
    """Devices of a tables file, and one made by hand, with a state on the disk; the machine is shut down with them."""
    out("systemctl", "stop", SOCKET, SERVICE)
    os.makedirs(DISKS, exist_ok=True)
    os.makedirs("/etc/dmuse")
    with open(f"{DISKS}/boot.img", "wb") as f:
        f.truncate(64 << 20)
    with open("/etc/dmuse/tables", "w", encoding="ascii") as f:
        f.write(f"# at boot\nboot,BOOT-1,,rw,0 65536 linear {DISKS}/boot.img 0\nwrong,,,rw,0 8 linear /nowhere 0\n")
    with open("/etc/default/dmuse", "w", encoding="ascii") as f:
        f.write('DMUSE_OPTIONS="--tables /etc/dmuse/tables --state /var/lib/dmuse"\n')
    out("systemctl", "enable", SERVICE)
    out("systemctl", "reset-failed", SERVICE)
    out("systemctl", "start", SOCKET, SERVICE)
    equal("started with a tables file and a state", "active", active())
    make("by-hand")
    dmuse("suspend", "by-hand")
    with open("/mnt/state", "w", encoding="ascii") as f:
        f.write(dmuse("info", "-c", "--noheadings", "-o", "name,uuid,minor,suspended,tables_loaded"))
