# SPDX-License-Identifier: BSD-2-Clause
"""A private daemon, with its sockets and images in a temporary directory. It ends with its creator, even if that is killed."""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from types import TracebackType
from typing import Any, Optional, Sequence, Type, Union

from .client import Client, file_table
from .device import Device
from .errors import Error
from .power import PowerCut, power_options
from .program import find_program, run_json
from .table import parse_size

# Its input ends when this process closes it, exits or is killed.
_WATCH = 'read -r _; "$0" shutdown --socket "$1" --no-start; rm -rf "$2"'


class Daemon(Client):
    """
    Starts a daemon; the end of the `with`, or `close()`, removes all its devices and ends it.

    >>> import dmuse
    >>> with dmuse.Daemon() as daemon:
    ...     disk = daemon.new_disk("4M")
    ...     with disk.open() as f:
    ...         print(f.pwrite(b"x" * 512, 4096))
    512
    """

    def __init__(self, options: Sequence[str] = (), program: Optional[str] = None, stop_timeout: int = 5) -> None:
        """
        OPTIONS: options of `dmuse daemon`. One that dies is not started again, so that nobody overlooks it, unless they say so:
        `["--restart-timeout", "30"]`. STOP_TIMEOUT: at the end, how many seconds to wait for programs that still use a device
        before they are terminated, which `close()` then reports.
        """
        found = find_program(program)
        self.directory = tempfile.mkdtemp(prefix="dmuse-")
        self._watcher: Optional["subprocess.Popen[bytes]"] = None
        self._made = 0
        super().__init__(os.path.join(self.directory, "control"), found, self.directory)
        try:
            run_json(found, ["daemon", "--json", "--socket", self.socket, "--stop-timeout", str(stop_timeout),
                             "--restart-timeout", "0", *options])
        except BaseException:
            super().close()
            shutil.rmtree(self.directory)
            raise
        try:
            self._watcher = subprocess.Popen(["sh", "-c", _WATCH, found, self.socket, self.directory], stdin=subprocess.PIPE,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        except BaseException:
            self._end()
            raise

    @property
    def log(self) -> str:
        """The daemon's log so far."""
        with open(os.path.join(self.directory, "log"), errors="replace") as f:
            return f.read()

    def new_file(self, size: Union[int, str]) -> str:
        """Creates a sparse file of SIZE in the daemon's directory, which is removed with it."""
        self._made += 1
        path = os.path.join(self.directory, f"disk{self._made}.img")
        with open(path, "xb") as f:
            f.truncate(parse_size(size))
        return path

    def new_disk(self, size: Union[int, str], name: Optional[str] = None, target: str = "linear", *options: object) -> Device:
        """
        Creates a device of SIZE (bytes, or "64M") on a new file. TARGET is a type whose arguments are <device> <offset> and
        OPTIONS. Without NAME it is disk1, disk2 and so on.
        """
        file = self.new_file(size)
        return self.create(name or f"disk{self._made}", file_table(file, size, target, *options))

    def new_power_cut(self, size: Union[int, str], name: Optional[str] = None, **options: Any) -> PowerCut:
        """
        Creates a disk of SIZE on a new file whose power can be cut. Options: seed, mode, atomic (bytes that are never torn),
        hang, memory, spill; see power.py.
        """
        return PowerCut(self, self.new_disk(size, name, "powercut", *power_options(**options)).name)

    def _end(self) -> None:
        """Ends the daemon, if it runs, and removes the directory."""
        try:
            self._control.shutdown()
        finally:
            if self._watcher:
                self._watcher.kill()
                self._watcher.communicate()
                self._watcher = None
            super().close()
            shutil.rmtree(self.directory, ignore_errors=True)

    def close(self) -> None:
        """
        Kills programs of `popen()` that still run, flushes and removes every device, and ends the daemon. Raises Error if
        written data was lost or other programs had to be killed.
        """
        if os.path.exists(self.directory):
            if self._session:
                self._session.end()
            self._end()

    def kill(self) -> None:
        """Kills the daemon with SIGKILL: nothing is flushed. Its files stay until `close()`, which ends one that was started again."""
        self._control.kill()

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        try:
            self.close()
        except Error:
            if kind is None:    # else the first exception is what counts
                raise
