# SPDX-License-Identifier: BSD-2-Clause
"""What systemd does for the daemon: starts it, keeps descriptors for it, and starts it again. See sd_notify(3)."""
import array
import ctypes
import os
import signal
import socket
import threading
import time

MOST = 4096             # descriptors
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Died(Exception):
    """The daemon has ended by itself."""


class Manager:
    def __init__(self, dmuse, directory, options=()):
        self.directory = directory
        self.control, self.nbd = f"{directory}/control", f"{directory}/nbd"
        self.log, self.notify_path = f"{directory}/log", f"{directory}/notify"
        self.words = [dmuse, "daemon", "--foreground", "--socket", self.control, "--restart-timeout", "0", *options]
        self.kept = {}          # name -> descriptor
        self.lock = threading.Lock()
        self.ready, self.all_heard = threading.Event(), threading.Event()
        self.pid, self.starts = None, 0
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.notify_path)
        threading.Thread(target=self.hear, daemon=True).start()

    def hear(self):
        while True:
            message, ancillary, _, _ = self.notify.recvmsg(65536, socket.CMSG_SPACE(64 * 4), socket.MSG_CMSG_CLOEXEC)
            fds = array.array("i")
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(data[:len(data) - len(data) % 4])
            said = dict(line.split("=", 1) for line in message.decode().splitlines() if "=" in line)
            self.heard(said, list(fds))

    def heard(self, said, fds):
        name = said.get("FDNAME", "stored")
        with self.lock:
            if "FDSTOREREMOVE" in said and name in self.kept:
                os.close(self.kept.pop(name))
            for fd in fds:
                if "FDSTORE" in said and name not in self.kept:
                    self.kept[name] = fd
                else:           # BARRIER=1: closing it is the answer
                    os.close(fd)
        if said.get("READY") == "1":
            self.ready.set()
        if "HEARD" in said:
            self.all_heard.set()

    def become_daemon(self, log):
        """In the child: the kept descriptors are 3 and following."""
        names, fds = list(self.kept), list(self.kept.values())
        high = [os.dup(fd) if fd > 3 + len(fds) else fd for fd in fds]
        while any(fd < 3 + len(fds) for fd in high):
            high = [os.dup(fd) if fd < 3 + len(fds) else fd for fd in high]
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.dup2(log, 2)
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        environment = {**os.environ, "NOTIFY_SOCKET": self.notify_path, "FDSTORE": str(MOST)}
        if fds:
            environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(names))
        os.execve(self.words[0], self.words, environment)

    def start(self):
        self.ready.clear()
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with self.lock:
            self.pid = os.fork()
            if not self.pid:
                try:
                    self.become_daemon(log)
                finally:
                    os._exit(127)
        os.close(log)
        self.starts += 1

    def wait_until_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while not self.ready.wait(0.01):
            self.look()
            if time.monotonic() > end:
                raise Died(f"the daemon was not ready after {seconds} seconds")

    def look(self):
        """Raises Died if it has ended by itself."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.pid = None
            raise Died(f"the daemon has ended with status {status:#x}")

    def kill(self):
        pid, self.pid = self.pid, None
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.hear_all()

    def hear_all(self):
        """What the daemon said before it was killed is heard before it is started again, as systemd does."""
        self.all_heard.clear()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(self.notify_path)
            s.send(b"HEARD=1")
        self.all_heard.wait()

    def forget(self):
        """As if whoever keeps the descriptors was killed, too."""
        with self.lock:
            for fd in self.kept.values():
                os.close(fd)
            self.kept.clear()

    def stop(self):
        if self.pid:
            self.kill()
        self.forget()

    def last_words(self, lines=25):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()[-lines:]
