# SPDX-License-Identifier: BSD-2-Clause
"""
What poll(2), epoll(7) and reading again return for /proc/self/mountinfo while something is mounted and unmounted on the
given directory. Prints the same on a kernel and in a session; session-mountinfo.sh compares the two.
"""
import os
import select
import subprocess
import sys

BITS = {select.POLLIN: "IN", select.POLLPRI: "PRI", select.POLLERR: "ERR"}
PATIENCE = 60000        # milliseconds, for what is expected


def events(found):
    return " ".join(name for bit, name in BITS.items() for _, got in found if got & bit) or "nothing"


def lines(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    text = b""
    while piece := os.read(fd, 65536):
        text += piece
    return text.count(b"\n")


def shell(script):
    return subprocess.Popen(["sh", "-c", script, "sh", sys.argv[1]], stdin=subprocess.PIPE)


def main():
    fd = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
    first = lines(fd)
    both, changes = select.poll(), select.poll()
    both.register(fd, select.POLLIN | select.POLLPRI)
    changes.register(fd, select.POLLPRI)
    print("at first:", events(both.poll(0)))
    shell('mount -t tmpfs none "$1"').wait()
    print("after a mount:", events(both.poll(0)), "once:", events(both.poll(0)))
    print("lines more:", lines(fd) - first)
    waiting = shell('read x; umount "$1"')
    edges = select.epoll()
    edges.register(fd, select.EPOLLIN | select.EPOLLET)
    print("an edge at first:", events(edges.poll(0)), "then:", events(edges.poll(0)))
    waiting.stdin.close()
    print("waiting for an unmount:", events(edges.poll(PATIENCE / 1000)))
    waiting.wait()
    shell('mount -t tmpfs none "$1"; umount "$1"').wait()
    print("two changes:", events(changes.poll(PATIENCE)), "then:", events(changes.poll(0)))
    print("lines more:", lines(fd) - first)


main()
