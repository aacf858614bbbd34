#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Files whose server does not answer, and tables of very many files: those who open them wait, but nobody else does. With
--full (`make files`) a table of 100,000 files, or of as many as one process may have open here.
"""
import os
import plistlib
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from protocol_client import DMUSE, ENOENT, Daemon, Wrong, fails, same, works
from replace import Replaced, another_program

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(DMUSE)), "tests", "programs", "silent_fs")
FULL = "--full" in sys.argv
LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
FILES = min(100000 if FULL else 3000, LIMIT - 500)
WITHIN = 0.05           # seconds of the control thread's time until another command is answered
SOON = 0.5              # the same on the clock, if nothing is waited for
ESHUTDOWN, ETIMEDOUT = 58, 60       # NetBSD's numbers
# The search for leaks at the end of a process stops all its threads, and would wait for one that a silent server holds.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
tests = []


def test(f):
    tests.append(f)
    return f


class Silent:
    """The file whose open gets no answer."""

    def __init__(self, directory):
        self.where = os.path.join(directory, "silent")
        os.mkdir(self.where)
        self.process = subprocess.Popen([PROGRAM, self.where], stdout=subprocess.PIPE)
        self.mounted = self.process.stdout.readline() == b"mounted\n"
        self.file = os.path.join(self.where, "silent")
        self.stuck = os.path.join(self.where, "stuck")      # it cannot be closed after mute()
        self.muted = os.path.join(self.where, "mute")       # it cannot be read after mute()

    def asked(self):
        same(self.process.stdout.readline(), b"asked\n")

    def answer(self):
        self.process.send_signal(signal.SIGUSR1)
        os.path.exists(os.path.join(self.where, "none"))     # a lookup, in case a signal came between two requests

    def mute(self):
        """From now on neither this nor a read of the other file gets an answer."""
        self.process.send_signal(signal.SIGUSR2)
        os.path.exists(os.path.join(self.where, "none"))

    def end(self):
        if self.mounted:
            self.answer()
        unmount = ["umount", "-l"] if os.geteuid() == 0 else ["fusermount3", "-uz"]
        if self.mounted:
            subprocess.run([*unmount, self.where], check=True)
        self.process.terminate()    # a session of another test may have the mount, too, and keep it
        self.process.wait(60)


class Other(threading.Thread):
    """
    Another client, which sends commands all the time; the processor time of the control thread between two of its
    replies counts.
    """

    def __init__(self, daemon):
        super().__init__()
        self.daemon_, self.client, self.stop, self.worst = daemon, daemon.client(), False, 0.0

    def control_time(self):
        with open(f"/proc/{self.daemon_.process.pid}/task/{self.daemon_.process.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9

    def run(self):
        while not self.stop:
            began, used = time.monotonic(), self.control_time()
            works(self.client.ask("version"))
            took = time.monotonic() - began
            self.worst = max(self.worst, min(took, self.control_time() - used))

    def end(self):
        self.stop = True
        self.join()
        if self.worst > WITHIN:
            raise Wrong(f"another command waited {1000 * self.worst:.0f} ms")
        return self.worst


def quick(daemon):
    """The fastest of five replies: other programs may use the processor, but not each time."""
    client, best = daemon.client(), 60.0
    for _ in range(5):
        began = time.monotonic()
        works(client.ask("version"))
        fails(client.ask("create", name="no", table="0 8 linear ./none 0", cwd="/"), ENOENT)    # this opens a file at once
        best = min(best, time.monotonic() - began)
    client.close()
    if best > SOON:
        raise Wrong(f"another command took {best:.3f} s")


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def until(what, condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise Wrong(what)
        time.sleep(0.01)


def state(daemon):
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as f:
        return f.read().rpartition(")")[2].split()[0]


@test
def an_open_without_an_answer_fails_its_command_in_time():
    with Place("--open-timeout", "1") as (d, silent):
        client = d.client()
        client.send(client.message("create", name="x", table=f"0 8 linear {silent.file} 0"))
        silent.asked()
        quick(d)
        reply = plistlib.loads(client.receive())
        fails(reply, ETIMEDOUT, silent.file, "could not be opened within 1 second: its file system does not answer")
        before = descriptors(d)
        silent.answer()
        works(client.ask("create", name="x", table=f"0 8 linear {silent.file} 0"))
        works(client.ask("remove", name="x"))
        until("what came too late is still open", lambda: descriptors(d) <= before)


@test
def an_open_without_an_answer_fails_exec_in_time():
    with Place() as (_, silent):
        command = [DMUSE, "exec", "--open-timeout", "1", "--create", f"x=0 8 linear {silent.file} 0", "--", "true"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            silent.asked()
            said = process.stderr.readline()
            silent.answer()     # the kernel keeps the daemon until then, and exec waits for it
            if "could not be opened within 1 second" not in said:
                raise Wrong(f"exec says {said!r}")
            same(process.wait(60), 125, "its exit status")


@test
def whoever_hangs_up_has_given_it_up():
    with Place() as (d, silent):
        for command in ({"command": "create", "name": "x", "table": f"0 8 linear {silent.file} 0"},
                        {"command": "disk", "name": "x", "file": silent.file}):
            client = d.client()
            works(client.ask("version"))
            before = descriptors(d)
            client.send(plistlib.dumps(command))
            if command["command"] == "create":
                silent.asked()      # the second waits for the opening that the first has started
            quick(d)
            client.close()
            until("the connection is still there", lambda: descriptors(d) < before)
        client = d.client()
        works(client.ask("create", name="x", table="0 8 zero"))
        before = descriptors(d)
        silent.answer()
        works(client.ask("create", name="y", table=f"0 8 linear {silent.file} 0"))
        works(client.ask("remove", name="y"))
        until("what nobody wanted is still open", lambda: descriptors(d) <= before)


def shown(d, *words):
    return subprocess.run([DMUSE, *words, "--socket", d.path], capture_output=True, text=True, check=False, timeout=120)


@test
def a_start_serves_others_meanwhile():
    """One that was killed; the device whose file is silent is suspended, and comes back as soon as that answers."""
    with Place("--restart-timeout", "30") as (d, silent):
        silent.answer()
        client = d.client()
        for name, table in (("x", f"linear {silent.file} 0"), ("upper", "linear /dev/mapper/x 0"), ("y", "zero")):
            works(client.ask("create", name=name, table=f"0 8 {table}"))
        silent.mute()
        began = time.monotonic()
        os.kill(struct.unpack("3i", client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0], signal.SIGKILL)
        said = shown(d, "info", "-c", "--noheadings", "-o", "name,suspended", "-O", "name")
        took = time.monotonic() - began
        same(said.stdout, "upper:Active\nx:Suspended\ny:Active\n", said.stderr)
        if "could not be opened within 5 seconds: its file system does not answer" not in shown(d, "info", "x").stderr:
            raise Wrong(shown(d, "info", "x").stderr)
        silent.asked()
        silent.answer()
        until("the device does not come back", lambda: "Active" in shown(d, "info", "-c", "--noheadings", "-o", "suspended", "x").stdout)
        print(f"# the first answer came after {took:.1f} s")
        same(shown(d, "table", "x").stdout, f"0 8 linear {silent.file} 0\n")
        same(shown(d, "info", "x").stderr, "", "nothing is lost")


def stuck(d, silent):
    """A client, with a device on a file that cannot be closed from now on."""
    client = d.client()
    works(client.ask("create", name="x", table=f"0 8 linear {silent.stuck} 0"))
    silent.mute()
    return client


def hears_nothing(d, client):
    """Although all others are answered."""
    quick(d)
    if select.select([client.socket], [], [], 0)[0]:
        raise Wrong(f"it has said {client.receive()!r}")


@test
def a_close_without_an_answer_is_waited_for_by_its_command_alone():
    with Place() as (d, silent):
        client = stuck(d, silent)
        client.send(client.message("remove", name="x"))
        silent.asked()
        hears_nothing(d, client)
        later = d.client()      # what is opened again is closed first
        later.send(later.message("create", name="y", table=f"0 8 linear {silent.stuck} 0"))
        hears_nothing(d, later)
        silent.answer()
        works(plistlib.loads(client.receive()))
        works(plistlib.loads(later.receive()))


@test
def a_close_without_an_answer_is_not_waited_for_without_end():
    with Place("--open-timeout", "1") as (d, silent):
        client = stuck(d, silent)
        before = descriptors(d)
        client.send(client.message("remove", name="x"))
        silent.asked()
        reply = plistlib.loads(client.receive())
        works(reply)
        if f"'{silent.stuck}' is still being closed: its file system does not answer" not in str(reply):
            raise Wrong(reply)
        fails(client.ask("info", name="x"), ENOENT)
        silent.answer()
        until("it was never closed", lambda: descriptors(d) < before)


@test
def shutdown_does_not_wait_for_a_close():
    with Place() as (d, silent):
        client = stuck(d, silent)
        client.send(client.message("remove", name="x"))
        silent.asked()
        began = time.monotonic()
        works(d.client().ask("shutdown"))
        works(plistlib.loads(client.receive()))     # it is removed
        until("the daemon has not ended", lambda: state(d) == "Z")
        if time.monotonic() - began > 15:
            raise Wrong(f"shutdown took {time.monotonic() - began:.1f} s")
        silent.answer()
        same(d.process.wait(60), 0, "the daemon's exit status")


@test
def partitions_that_cannot_be_read_again_keep_nobody_waiting():
    if os.geteuid():
        return      # a session's programs may not
    with Place("--open-timeout", "1") as (d, silent):
        works(d.client().ask("disk", name="pd", file=silent.muted))
        silent.mute()
        words = [DMUSE, "exec", "--socket", d.path, "--", "blockdev", "--rereadpt", "/dev/pd"]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            silent.asked()
            quick(d)
            if "Connection timed out" not in process.stderr.read():
                raise Wrong("it was not told in time")
        silent.answer()
        same(subprocess.run(words, check=False).returncode, 0)


@test
def shutdown_does_not_wait_for_it():
    with Place() as (d, silent):
        client = d.client()
        client.send(client.message("create", name="x", table=f"0 8 linear {silent.file} 0"))
        silent.asked()
        began = time.monotonic()
        works(d.client().ask("shutdown"))
        fails(plistlib.loads(client.receive()), ESHUTDOWN, "the daemon is ending")
        until("the daemon has not ended", lambda: state(d) == "Z")   # the kernel still waits for FUSE with its last thread
        if time.monotonic() - began > 15:   # and the opening could take 30
            raise Wrong(f"shutdown took {time.monotonic() - began:.1f} s")
        silent.answer()
        same(d.process.wait(60), 0, "the daemon's exit status")


class ToldToEnd(Daemon):
    """It gets SIGTERM while a file does not open, which it needs to come up. What it has notified is in SAID."""

    def __init__(self, silent, *options):
        self.silent, self.said = silent, []
        super().__init__(options)

    def wait_until_ready(self):
        self.silent.asked()
        self.process.send_signal(signal.SIGTERM)
        until("the signal did not arrive", lambda: "Terminated: ending" in self.logged())
        self.silent.answer()
        while "STOPPING=1" not in self.said:
            self.said += self.notify.recv(4096).decode().split("\n")
        same(self.process.wait(60), 0, f"the exit status; it said {self.said}: {self.logged()}")

    def logged(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()


def ends_after_it_came_up(silent, *options):
    d = ToldToEnd(silent, *options)
    same([word for word in d.said if word in ("READY=1", "STOPPING=1")], ["READY=1", "STOPPING=1"], "what it notified")
    if "suspended" in d.logged() or "failed:" in d.logged():
        raise Wrong(d.logged())
    d.notify.close()
    d.directory.cleanup()


def devices(*options):
    d = Daemon(options)
    said = {name: shown(d, "table", name).stdout for name in shown(d, "ls", "--json").stdout.split('"') if name in ("x", "y")}
    d.end()
    return said


@test
def who_is_told_to_end_while_it_comes_up_comes_up_first():
    """With tables, and then with the state that those have left."""
    with tempfile.TemporaryDirectory(prefix="dmuse-") as directory:
        silent = Silent(directory)
        if not silent.mounted:
            raise Lacks("no FUSE file system can be mounted here")
        try:
            keeps, tables = ("--state", directory + "/state"), directory + "/tables"
            with open(tables, "w", encoding="utf-8") as f:
                f.write(f"x,,,rw,0 8 linear {silent.file} 0\ny,,,rw,0 8 zero\n")
            wanted = {"x": f"0 8 linear {silent.file} 0\n"}     # its other line is not begun any more
            ends_after_it_came_up(silent, *keeps, "--tables", tables)
            same(devices(*keeps), wanted, "what the tables have made")
            silent.mute()
            ends_after_it_came_up(silent, *keeps)
            same(devices(*keeps), wanted, "what was kept")
        finally:
            silent.end()


@test
def a_program_that_goes_back_passes_it_on():
    """Another program is told to end while it comes up, and then does not come up."""
    d = Replaced()
    silent = Silent(d.directory.name)
    if not silent.mounted:
        raise Lacks("no FUSE file system can be mounted here")
    try:
        silent.answer()
        d.run("create", "x", "--table", f"0 8 linear {silent.file} 0")
        silent.mute()
        script, pid = another_program(d, "--tables", "/no/such/tables"), d.pid()
        with subprocess.Popen([DMUSE, "daemon", "--socket", d.control, "--replace", script], stderr=subprocess.DEVNULL) as other:
            silent.asked()
            os.kill(pid, signal.SIGTERM)
            until("the signal did not arrive", lambda: "Terminated: ending" in d.log())
            silent.answer()
            other.wait(60)
        until("the daemon has not ended", lambda: not os.path.exists(d.control))
        same("the other program did not come up" in d.log(), True, d.log())
        same(d.log().count("Terminated: ending"), 2, d.log())
    finally:
        silent.end()
    d.directory.cleanup()


@test
def a_device_that_is_closed_while_all_stand_still_is_removed():
    """For another program: they wait for a request that gets no answer."""
    d = Replaced()
    silent = Silent(d.directory.name)
    if not silent.mounted:
        raise Lacks("no FUSE file system can be mounted here")
    try:
        d.run("create", "slow", "--table", f"0 8 linear {silent.muted} 0")
        d.run("create", "vd", "--table", "0 8 zero")
        slow, client = d.connect("slow"), d.connect("vd")
        d.run("remove", "--deferred", "vd")
        silent.mute()
        slow.send(slow.request(0, 0, 512))
        silent.asked()
        with subprocess.Popen([DMUSE, "daemon", "--socket", d.control, "--replace"]) as other:
            client.socket.settimeout(0.2)
            try:
                while True:
                    client.read(0, 512)
            except TimeoutError:
                client.socket.close()
            silent.answer()
            same(other.wait(60), 0, "the exit status")
        slow.reply(slow.cookie, 512)
        same(d.run("info", "-c", "--noheadings", "-o", "name"), "slow\n", "the devices")
        slow.close()
        d.run("shutdown")
    finally:
        silent.end()
    d.directory.cleanup()


# Makes the ioctl argv[2] on argv[1]; what its argument points to, after argv[5] bytes that are there, is page argv[4] of argv[3].
IOCTL = """
import ctypes, os, sys
path, command, silent, page, head = sys.argv[1], int(sys.argv[2], 0), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
at = libc.mmap(None, 8192, 3, 0x22, -1, 0) + 4096
libc.mmap(at, 4096, 3, 0x12, os.open(silent, os.O_RDONLY), page * 4096)
libc.madvise(ctypes.c_void_p(at), 4096, 1)      # that page alone
if head:        # struct dm_ioctl: a table of one target
    ctypes.memmove(at - head, sys.stdin.buffer.read(), head)
libc.ioctl(os.open(path, os.O_RDWR), ctypes.c_ulong(command), ctypes.c_void_p(at - head))
print(ctypes.get_errno())
"""
EINVAL_LINUX = 22
MEMORY = (      # BLKDISCARD, BLKPG, BLKGETSIZE, DM_TABLE_LOAD: the io thread reads, the control thread reads, writes, and reads
    ("/dev/mapper/x", 0x1277, 0, EINVAL_LINUX), ("/dev/pd", 0x1269, 0, 14), ("/dev/mapper/x", 0x1260, 0, 0),
    ("/dev/mapper/control", 0xc138fd09, 312, EINVAL_LINUX))


def table_load():
    head = struct.pack("<3I2I2i3IQ", 4, 0, 0, 4096, 312, 1, 0, 0, 0, 0, 0) + b"x".ljust(128, b"\0")
    return head.ljust(312, b"\0")


@test
def memory_of_a_program_that_cannot_be_read_keeps_nobody_waiting():
    if os.geteuid():
        return      # a session's programs may not
    with Place() as (d, silent):
        works(d.client().ask("create", name="x", table="0 2048 zero"))
        disk = os.path.join(d.directory.name, "disk")
        with open(disk, "wb") as f:
            f.truncate(1 << 20)
        works(d.client().ask("disk", name="pd", file=disk))
        within = [DMUSE, "exec", "--socket", d.path, "--"]
        for page, (path, command, head, error) in enumerate(MEMORY):
            silent.mute()
            words = [*within, sys.executable, "-c", IOCTL, path, str(command), silent.muted, str(page), str(head)]
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdin.write(table_load())
                process.stdin.close()
                silent.asked()
                quick(d)
                read = [*within, "dd", "if=/dev/mapper/x", "of=/dev/null", "iflag=direct", "count=1", "status=none"]
                same(subprocess.run(read, check=False, timeout=60).returncode, 0, f"ioctl {command:#x}: reading, meanwhile")
                silent.answer()
                same(process.stdout.read(), f"{error}\n".encode(), f"ioctl {command:#x}: its errno")


@test
def memory_of_a_program_is_not_waited_for_without_end():
    if os.geteuid():
        return
    with Place("--open-timeout", "1") as (d, silent):
        works(d.client().ask("create", name="x", table="0 2048 zero"))
        silent.mute()
        words = [DMUSE, "exec", "--socket", d.path, "--", sys.executable, "-c", IOCTL, "/dev/mapper/x", "0x1260", silent.muted, "0", "0"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            silent.asked()
            same(process.stdout.read(), b"14\n", "its errno")
        silent.answer()


def says(daemon, *sentences):
    with open(daemon.log, encoding="utf-8") as log:
        said = log.read()
    for sentence in sentences:
        if sentence not in said:
            raise Wrong(f"{sentence!r} is not in the log: {said}")


def many(directory, n):
    """The lines of a table on N files."""
    os.mkdir(directory)
    for i in range(n):
        with open(f"{directory}/{i}", "wb") as f:
            f.truncate(4096)
    return "\n".join(f"{8 * i} 8 linear {directory}/{i} 0" for i in range(n))


@test
def shutdown_does_not_wait_for_a_request_that_hangs():
    with Place("--nbd-socket", "nbd", "--stop-timeout", "1") as (d, silent):
        works(d.client().ask("create", name="x", table=f"0 8 linear {os.path.dirname(silent.file)}/mute 0"))
        silent.mute()
        reading = ["nbdsh", "-u", f"nbd+unix:///x?socket={d.directory.name}/nbd", "-c", "h.pread(512, 0)"]
        with subprocess.Popen(reading, stderr=subprocess.DEVNULL):
            silent.asked()
            began = time.monotonic()
            d.process.send_signal(signal.SIGTERM)
            until("the daemon has not ended", lambda: state(d) == "Z")
            took = time.monotonic() - began
            silent.answer()
        same(d.process.wait(60), 1, "the daemon's exit status")
        if took > 45:
            raise Wrong(f"shutdown took {took:.1f} s")
        says(d, "requests of NBD clients have not ended within 6 seconds", "end of 'x' waits for its requests under way")


@test
def a_table_of_very_many_files_keeps_nobody():
    d = Daemon(("--io-threads", "1"), LIMIT)
    try:
        table_of_many(d)
    finally:
        d.process.kill()
        d.process.wait()


def table_of_many(d):
    with tempfile.TemporaryDirectory(prefix="dmuse-", dir="/dev/shm") as directory:
        table = many(directory + "/files", FILES)
        client, other = d.client(), Other(d)
        message = client.message("create", name="x", table=table)
        other.start()
        began = time.monotonic()
        client.send(message)
        works(plistlib.loads(client.receive()))
        took = time.monotonic() - began
        worst = other.end()
        print(f"# {FILES} files: {took:.2f} s, {1e6 * took / FILES:.0f} us each; the control thread was busy for {1000 * worst:.0f} ms at most")
        if FULL and took * 100000 / FILES > 15:
            raise Wrong(f"100,000 would take {took * 100000 / FILES:.1f} s")
        same(client.ask("info", name="x")["target_count"], FILES)
        bad = f"{table}\n{8 * FILES} 8 linear {directory}/none 0"
        other = Other(d)
        other.start()
        fails(client.ask("create", name="y", table=bad), ENOENT, f"table line {FILES + 1}: linear")
        other.end()
        works(client.ask("remove", name="x"))
        same(d.end(), 0, "the daemon's exit status")


class Place:
    """A daemon, and the file whose open gets no answer."""

    def __init__(self, *options):
        self.daemon = Daemon(options)
        self.silent = Silent(self.daemon.directory.name)

    def __enter__(self):
        if not self.silent.mounted:
            raise Lacks("no FUSE file system can be mounted here")
        return self.daemon, self.silent

    def __exit__(self, *failure):
        self.silent.end()
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.daemon.notify.close()
        self.daemon.directory.cleanup()


class Lacks(Exception):
    """Why a test cannot be done here."""


def main():
    failed = 0
    for n, t in enumerate(tests, 1):
        name = t.__name__.replace("_", " ")
        try:
            t()
            print(f"ok {n} - {name}", flush=True)
        except Lacks as why:
            print(f"ok {n} - {name} # SKIP {why}", flush=True)
        except Exception as e:      # pylint: disable=broad-except
            failed += 1
            print(f"not ok {n} - {name}\n# {type(e).__name__}: {e}", flush=True)
    print(f"1..{len(tests)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
