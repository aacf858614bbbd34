# SPDX-License-Identifier: BSD-2-Clause
"""Runs a daemon, holds the descriptors that it passes, and starts it again when it was killed: as systemd does.

    keeping.py COMMAND...

Prints "ready PID" whenever a daemon is ready. Ends with the daemon, or ends it at SIGTERM.
"""
import os
import select
import signal
import socket
import struct
import sys
import tempfile

NAMES_FROM = 3


def passed(held):
    """Moves the descriptors to where the daemon expects them, and returns the environment that says so."""
    low = NAMES_FROM + len(held)
    high = [os.dup2(fd, low + i + 100, False) if fd < low else fd for i, fd in enumerate(held.values())]
    for i, fd in enumerate(high):
        os.dup2(fd, NAMES_FROM + i, True)
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(held)), "LISTEN_FDNAMES": ":".join(held)} if held else {}


def start(command, path, held):
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
        env = dict(os.environ, NOTIFY_SOCKET=path, FDSTORE="10000", **passed(held))
        os.execvpe(command[0], command, env)
    finally:
        os._exit(127)


def heard(sock, held, pid):
    data, ancillary, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(4 * 8))
    fds = [fd for _, _, raw in ancillary for (fd,) in struct.iter_unpack("i", raw[:len(raw) // 4 * 4])]
    words = dict(line.split("=", 1) for line in data.decode().split("\n") if "=" in line)
    name = words.get("FDNAME")
    if "FDSTORE" in words:
        held[name] = fds.pop()
    elif "FDSTOREREMOVE" in words and name in held:
        os.close(held.pop(name))
    if "READY" in words:
        print("ready", pid, flush=True)
    for fd in fds:
        os.close(fd)
    return next((word for word in ("STOPPING", "READY") if word in words), None)


def main():
    signals = {signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    directory = tempfile.mkdtemp(prefix="dmuse-keeping-")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(directory + "/notify")
    sock.setblocking(False)
    waker, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakes)
    for number in signals:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    failed, ready = 0, False
    held, stopping, pid = {}, False, start(sys.argv[1:], directory + "/notify", {})
    status = 0
    while True:
        select.select([sock, waker], [], [])
        try:
            for number in os.read(waker, 4096):
                if number == signal.SIGTERM:
                    stopping = True
                    os.kill(pid, signal.SIGTERM)
        except BlockingIOError:
            pass
        try:
            while True:
                word = heard(sock, held, pid)
                stopping = stopping or word == "STOPPING"
                ready = ready or word == "READY"
        except BlockingIOError:
            pass
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            continue
        failed = 0 if ready else failed + 1
        if stopping or not os.WIFSIGNALED(status) or failed == 3:
            break
        ready = False
        pid = start(sys.argv[1:], directory + "/notify", held)
    os.unlink(directory + "/notify")
    os.rmdir(directory)
    return os.waitstatus_to_exitcode(status) & 255


if __name__ == "__main__":
    sys.exit(main())
