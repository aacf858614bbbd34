# SPDX-License-Identifier: BSD-2-Clause
"""
A file system on a device, mounted in the daemon's session. The session's mount namespace is reached from outside as well,
through /proc/PID/root of the process that keeps it: so a path from `mount()` can be opened by any process of the same user.
"""
from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence

if TYPE_CHECKING:
    from .client import Client

# Nothing is left to be done in the background, so that a new file system is at rest when it is there.
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
        self._at: Dict[str, str] = {}

    def call(self, words: Sequence[str]) -> None:
        """Runs it in the session; CalledProcessError with its output if it fails."""
        done = self._client.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise CommandFailed(done.returncode, list(words), done.stdout)

    def _new_directory(self) -> str:
        if not self._parent:
            self._own = tempfile.TemporaryDirectory(prefix="dmuse-")
            self._parent = self._own.name
        return tempfile.mkdtemp(prefix="mount-", dir=self._parent)

    def _outside(self, path: str) -> Path:
        pid = self._client.ask("session", mount_ns=os.readlink("/proc/self/ns/mnt"))["session"]["pid"]
        return Path(f"/proc/{pid}/root{path}")

    def mount(self, name: str, device: str, options: str) -> Path:
        directory = self._new_directory()
        if os.geteuid() == 0:
            words = ["mount", *(["-o", options] if options else []), device, directory]
        else:
            words = ["fuse2fs", "-o", ",".join(["fakeroot", *filter(None, [options])]), device, directory]
        try:
            self.call(words)
        except BaseException:
            os.rmdir(directory)
            raise
        self._at[name] = directory
        return self._outside(directory)

    def umount(self, name: str, lazy: bool) -> None:
        directory = self._at[name]
        self.call(["umount", *(["-l"] if lazy else []), directory])
        del self._at[name]
        os.rmdir(directory)

    def close(self) -> None:
        """What is still mounted goes with the session; the directories here can go when it has."""
        self._at.clear()
        if self._own:
            self._own.cleanup()
            self._own = None


class CommandFailed(subprocess.CalledProcessError):
    """A CalledProcessError whose text has the command's output."""

    def __str__(self) -> str:
        said = (self.output or b"").decode(errors="replace").strip()
        return super().__str__() + (f"\n{said}" if said else "")
