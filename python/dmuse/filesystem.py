# SPDX-License-Identifier: BSD-2-Clause
"""
A file system on a device, mounted in the daemon's session. The session's mount namespace is reached from outside as well,
through /proc/PID/root of the process that keeps it: so a path from `mount()` can be opened by any process of the same user.
"""
from __future__ import annotations

import errno
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence

from .control import to_wire
from .errors import Error

if TYPE_CHECKING:
    from .client import Client

RELEASE_SECONDS = 10

# No lazy initialisation: a new file system does nothing in the background.
_MKFS: Dict[str, List[str]] = {
    **{kind: ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"] for kind in ("ext3", "ext4")},
    "ext2": ["-q", "-F", "-E", "lazy_itable_init=0"],
    "xfs": ["-q", "-f"],
    "btrfs": ["-q", "-f"],
}


def mkfs_options(kind: str) -> List[str]:
    return _MKFS.get(kind, [])


class Mounts:
    """The file systems that this client has mounted, by the names of their devices."""

    def __init__(self, client: "Client", directory: Optional[str] = None) -> None:
        self._client = client
        self._parent = directory
        self._own: Optional["tempfile.TemporaryDirectory[str]"] = None
        self._directories: Dict[str, str] = {}  # by the names of devices
        self._mounted: Dict[str, int] = {}      # and how many users the device had before

    def call(self, words: Sequence[str]) -> None:
        """Runs a command in the session. Raises CommandFailed, with its output, if it fails."""
        done = self._client.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise CommandFailed(done.returncode, list(words), done.stdout)

    def _directory(self, name: str) -> str:
        if not self._parent:
            self._own = tempfile.TemporaryDirectory(prefix="dmuse-")
            self._parent = self._own.name
        if name not in self._directories:
            self._directories[name] = tempfile.mkdtemp(prefix="mount-", dir=self._parent)
        return self._directories[name]

    def _outside(self, path: str) -> Path:
        pid = self._client.ask("session", mount_ns=os.readlink("/proc/self/ns/mnt"))["session"]["pid"]
        return Path(f"/proc/{pid}/root{path}")

    def mount(self, name: str, device: str, options: str) -> Path:
        directory = self._directory(name)
        if os.geteuid() == 0 and os.path.exists("/dev/loop-control"):
            words = ["mount", *(["-o", options] if options else []), device, directory]
        else:
            words = ["fuse2fs", "-o", ",".join(["fakeroot", *filter(None, [options])]), device, directory]
        users = self._users(name)
        self.call(words)
        self._mounted[name] = users
        return self._outside(directory)

    def umount(self, name: str, lazy: bool) -> None:
        if name not in self._mounted:
            raise Error(errno.EINVAL, f"umount {name}: mount() has not mounted it")
        self.call(["umount", *(["-l"] if lazy else []), self._directories[name]])
        users = self._mounted.pop(name)
        if not lazy:
            self._wait_for_release(name, users)

    def _users(self, name: str) -> int:
        count: int = self._client.ask("info", name=to_wire(name))["open_count"]
        return count

    def _wait_for_release(self, name: str, users: int) -> None:
        """fuse2fs ends, and the kernel detaches a loop device, some time after umount(8)."""
        deadline = time.monotonic() + RELEASE_SECONDS
        while self._users(name) > users and time.monotonic() < deadline:
            time.sleep(0.005)

    def close(self) -> None:
        """What is still mounted is unmounted with the session."""
        self._mounted.clear()
        if self._own:
            self._own.cleanup()
            self._own = None


class CommandFailed(subprocess.CalledProcessError):
    """A CalledProcessError whose text includes the output of the command."""

    def __str__(self) -> str:
        said = (self.output or b"").decode(errors="replace").strip()
        return super().__str__() + (f"\n{said}" if said else "")
