#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""A session on a terminal: ^C, ^Z, fg, the end of a shell, as if the program had been started directly."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DMUSE = os.environ.get("DMUSE", os.path.join(ROOT, "build", "dmuse"))
LIMIT = 60


class Terminal:
    """An interactive shell on a pty."""

    def __init__(self, directory):
        pid, self.fd = pty.fork()
        if not pid:
            os.chdir(directory)
            env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "dumb", "DMUSE": DMUSE, "PS1": "outer> ",
                   "XDG_RUNTIME_DIR": directory, "TMPDIR": directory, "SHELL": "/bin/bash", "HOME": directory, "HISTFILE": ""}
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], env)
        self.pid, self.seen = pid, ""
        self.expect("outer> ")

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, what):
        """Reads until WHAT (a regular expression) has arrived; returns what came before it."""
        end = time.monotonic() + LIMIT
        while not (m := re.search(what, self.seen)):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {what!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
            except OSError as e:
                raise AssertionError(f"the terminal is gone; no {what!r} in {self.seen!r}") from e
        before, self.seen = self.seen[:m.end()], self.seen[m.end():]
        return before

    def until(self, key, what):
        """Types KEY until WHAT arrives: a shell that is just passing on the terminal does not read it."""
        end = time.monotonic() + LIMIT
        while not re.search(what, self.seen) and time.monotonic() < end:
            self.type(key)
            if select.select([self.fd], [], [], 0.5)[0]:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
        self.expect(what)

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def within_limit(is_so):
    end = time.monotonic() + LIMIT
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def interrupt(t):
    t.type("$DMUSE exec -- sh -c 'echo r''eady; exec sleep 1000'\n")
    t.expect("ready")
    t.type("\x03")
    t.expect("outer> ")
    t.type("echo s=$?\n")
    t.expect("s=130")


def interrupt_is_the_programs(t):
    t.type("$DMUSE exec -- bash -c 'trap \"kill \\$!; echo caug\"\"ht; exit 7\" INT; sleep 1000 & echo r''eady; wait'; echo s=$?\n")
    t.expect("ready")
    t.type("\x03")
    t.expect("caught")
    t.expect("s=7")


def quit_dies_of_quit(t):
    t.type("ulimit -c 0; $DMUSE exec -- sh -c 'echo r''eady; exec sleep 1000'; echo s=$?\n")
    t.expect("ready")
    t.type("\x1c")
    t.expect("s=131")


def stop_and_go_on(t):
    t.type("$DMUSE exec -- sh -c 'echo r''eady; read x; echo got $x'; echo s=$?\n")
    t.expect("ready")
    t.type("\x1a")
    t.expect("Stopped")
    t.expect("outer> ")
    t.type("jobs\n")
    t.expect("Stopped.*\r\n")
    t.expect("outer> ")
    t.type("fg\n")
    t.expect(r"read x.*\r\n")
    t.type("back\n")
    t.expect("got back")
    t.expect("outer> ")


def background_and_foreground(t):
    t.type("$DMUSE exec -- sh -c 'read x; echo got $x' &\n")
    t.expect("outer> ")
    t.type("\n\n")
    t.type("fg\n")
    t.expect("read x.*\r\n")
    t.type("later\n")
    t.expect("got later")


def a_shell(t):
    """Its own job control, its terminal, its end; and then the outer shell has the terminal again."""
    t.type("$DMUSE shell\n")
    t.expect(r"[#$] ")
    t.type("PS1='inner> '\n")
    t.expect("inner> ")
    t.expect("inner> ")
    t.type("tty; sh -c 'echo r''eady; exec sleep 1000'\n")
    t.expect("/dev/pts/")
    t.expect("ready")
    t.type("\x1a")
    t.expect("Stopped")
    t.expect("inner> ")
    t.type("fg\n")
    t.expect("sleep 1000.*\r\n")
    t.until("\x03", "inner> ")
    t.type("    echo sy''nc\n")
    t.expect("sync")
    t.expect("inner> ")
    t.type("dmsetup version; exit 5\n")
    t.expect("Driver version")
    t.expect("outer> ")
    t.type("echo s=$?; stty -a | grep -o 'isig'\n")
    t.expect("s=5")
    t.expect("isig")


def a_shell_that_stops_itself(t):
    t.type("$DMUSE shell\n")
    t.expect(r"[#$] ")
    t.type("PS1='inner> '; suspend\n")
    t.expect("Stopped")
    t.expect("outer> ")
    t.type("fg\n")
    t.expect("inner> ")
    t.type("exit\n")
    t.expect("outer> ")


def hang_up(t):
    t.type("$DMUSE exec -- sh -c 'echo $$ >pid; echo r''eady; exec sleep 1000'\n")
    t.expect("ready")
    os.close(t.fd)
    t.fd = os.open("/dev/null", os.O_RDONLY)
    with open(os.path.join(t.directory, "pid"), encoding="ascii") as f:
        pid = int(f.read())
    assert within_limit(lambda: not os.path.exists(f"/proc/{pid}/exe")), "the program outlived its terminal"


def hang_up_of_a_leader(t):
    """The kernel signals the session leader, which is the program, whichever process is in the foreground."""
    program = ("import os, signal, time\n"
               "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])\n"
               "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
               "job = os.fork()\n"
               "if not job:\n    signal.signal(signal.SIGHUP, signal.SIG_IGN)\n    time.sleep(3)\n    os._exit(0)\n"
               "os.setpgid(job, job)\nos.tcsetpgrp(0, job)\nos.write(1, b'rea' + b'dy')\n"
               "signal.sigwait([signal.SIGHUP])\nopen('hup', 'w')\n")
    leader, fd = pty.fork()
    if not leader:
        os.chdir(t.directory)
        os.environ.update(XDG_RUNTIME_DIR=t.directory, TMPDIR=t.directory)
        os.execv(DMUSE, [DMUSE, "exec", "--", "/usr/bin/python3", "-c", program])
    seen = b""
    while b"ready" not in seen:
        seen += os.read(fd, 4096)
    os.close(fd)
    told = within_limit(lambda: os.path.exists(os.path.join(t.directory, "hup")))
    if not told:
        os.kill(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    assert told, "the program was not told"


TESTS = [interrupt, interrupt_is_the_programs, quit_dies_of_quit, stop_and_go_on, background_and_foreground, a_shell,
         a_shell_that_stops_itself, hang_up, hang_up_of_a_leader]


def run(n, test):
    directory = tempfile.mkdtemp()
    try:
        t = Terminal(directory)
        t.directory = directory
        try:
            test(t)
        finally:
            t.close()
        print(f"ok {n} - {test.__name__}")
    except AssertionError as e:
        print(f"not ok {n} - {test.__name__}\n#   {e}")
    end = time.monotonic() + LIMIT
    while [f for f in os.listdir(directory) if f.startswith("dmuse-")] and time.monotonic() < end:
        time.sleep(0.02)
    shutil.rmtree(directory)


def main():
    sys.dont_write_bytecode = True
    from session_lacks import session_lacks
    lack = session_lacks() or ("this needs root" if os.getuid() else "")
    if lack:
        print(f"ok 1 - at a terminal # SKIP {lack}\n1..1")
        sys.exit()
    for n, test in enumerate(TESTS, 1):
        run(n, test)
    print(f"1..{len(TESTS)}")


main()
