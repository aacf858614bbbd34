# SPDX-License-Identifier: BSD-2-Clause
"""A client of a running daemon: the commands of `dmuse`, under the same names."""
from __future__ import annotations

import errno
import math
import os
import subprocess
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

from .control import Control, Reply, to_text, to_wire
from .device import NOFLUSH, PERSISTENT_DEV, READONLY, SKIP_LOCKFS, Device, Info, info_of
from .errors import DmuseWarning, Error
from .filesystem import Mounts
from .power import cut_words, power_keys
from .program import Word, find_program
from .session import Session
from .table import SECTOR, Line, Table, parse_lines, parse_size, quote, table_text

DeviceOrName = Union[Device, str]


def name_of(device: DeviceOrName) -> str:
    return device if isinstance(device, str) else device.name


class Client:
    """
    Talks to the daemon on SOCKET; by default to that of $DMUSE_SOCKET, which is set in a session. Threads may share a client.
    `Daemon` is a client with a daemon of its own.

    >>> import dmuse
    >>> with dmuse.Daemon() as daemon:
    ...     other = dmuse.Client(daemon.socket)
    ...     _ = daemon.create("vd", "0 1M zero")
    ...     print([device.name for device in other.devices()])
    ['vd']
    """

    def __init__(self, socket: Optional[str] = None, program: Optional[str] = None, _mounts: Optional[str] = None) -> None:
        path = socket or os.environ.get("DMUSE_SOCKET")
        if not path:
            raise ValueError("which daemon? There is no $DMUSE_SOCKET: give Client() the path of a socket, or use Daemon()")
        self.socket = os.path.abspath(path)
        self._program = program
        self._control = Control(self.socket)
        self._session: Optional[Session] = None
        self.mounts = Mounts(self, _mounts)
        self.timeout: float = 60.0      # seconds for commands without a timeout of their own

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.socket}>"

    def close(self) -> None:
        """Closes the connections. The daemon and its devices stay."""
        self._control.close()
        self.mounts.close()

    # Commands.

    def ask(self, command: str, timeout: Optional[float] = None, **keys: Any) -> Reply:
        """
        Sends any command of doc/protocol.md with its keys, and returns the reply. Raises Error if the command fails, and
        TimeoutError, with the command cancelled, after TIMEOUT seconds (default: `Client.timeout`; math.inf: never).
        """
        seconds = self.timeout if timeout is None else timeout
        return self._control.ask(command, None if seconds == math.inf else seconds, **keys)

    def ask_warned(self, command: str, **keys: Any) -> Reply:
        """The same as ask(); the daemon's warnings are issued as DmuseWarning."""
        reply = self.ask(command, **keys)
        for sentence in reply.get("warnings", []):
            warnings.warn(to_text(sentence), DmuseWarning, stacklevel=3)
        return reply

    @staticmethod
    def table_keys(text: str) -> Dict[str, Any]:
        """The keys of a request with a table. Relative paths in it are relative to the current directory."""
        return {"table": to_wire(text), "cwd": to_wire(os.getcwd()), "sizes": True}

    def create(self, name: str, table: Optional[Table] = None, uuid: str = "", readonly: bool = False, minor: Optional[int] = None) -> Device:
        """Creates a device with TABLE and activates it, all or nothing. Without a table the device has none."""
        keys: Dict[str, Any] = {"name": to_wire(name), "flags": READONLY if readonly else 0}
        if table is not None:
            keys.update(self.table_keys(table_text(table)))
        if uuid:
            keys["uuid"] = to_wire(uuid)
        if minor is not None:
            keys.update(minor=minor, flags=keys["flags"] | PERSISTENT_DEV)
        self.ask_warned("create", **keys)
        return Device(self, name)

    def __getitem__(self, name: str) -> Device:
        """The device with this name. Raises KeyError if there is none."""
        device = Device(self, name)
        try:
            device.info()
        except Error as e:
            if e.errno == errno.ENOENT:
                raise KeyError(name) from None
            raise
        return device

    def __contains__(self, name: str) -> bool:
        return any(info.name == name for info in self.infos())

    def infos(self) -> List[Info]:
        """The state of every device."""
        return [info_of(d) for d in self.ask("names").get("cmd_data", [])]

    def devices(self) -> List[Device]:
        """Every device."""
        return [Device(self, info.name) for info in self.infos()]

    def check(self, table: Table) -> List[Line]:
        """Explains each line of TABLE without creating anything. Raises Error, with the place, if the table is wrong."""
        return parse_lines(to_text(self.ask_warned("check", text=True, **self.table_keys(table_text(table)))["table"]))

    def targets(self) -> Dict[str, str]:
        """The target types, each with its usage."""
        return {t["name"]: t["usage"] for t in self.ask("targets")["cmd_data"]}

    def remove_all(self, force: bool = False) -> None:
        """Removes every device that is not in use; with FORCE all, whose users then get errors."""
        self.ask("remove_all", force=force)

    # Several devices as one.

    @staticmethod
    def _move_keys(devices: Sequence[DeviceOrName], noflush: bool, nolockfs: bool) -> Dict[str, Any]:
        return {"names": [to_wire(name_of(d)) for d in devices], "flags": (NOFLUSH if noflush else 0) | (SKIP_LOCKFS if nolockfs else 0)}

    def suspend(self, *devices: DeviceOrName, noflush: bool = False, nolockfs: bool = False) -> None:
        """Suspends all of them at one instant, or none."""
        self.ask_warned("suspend", **self._move_keys(devices, noflush, nolockfs))

    def resume(self, *devices: DeviceOrName, noflush: bool = False, nolockfs: bool = False) -> None:
        """Resumes all of them, with the tables that were loaded, or none."""
        self.ask_warned("resume", **self._move_keys(devices, noflush, nolockfs))

    def load(self, tables: Mapping[DeviceOrName, Table], readonly: bool = False) -> None:
        """
        Each table becomes the inactive one of its device: all of them, or none. `resume()` of the same devices activates them.

        >>> import dmuse
        >>> with dmuse.Daemon() as daemon:
        ...     a, b = daemon.create("a", "0 8 zero"), daemon.create("b", "0 8 zero")
        ...     daemon.load({a: "0 8 error", b: "0 16 error"})
        ...     daemon.resume(a, b)
        ...     print(*a.table(), *b.table(), sep=", ")
        0 8 error, 0 16 error
        """
        keys = {**self._move_keys(list(tables), False, False), **self.table_keys("")}
        keys.update(tables=[to_wire(table_text(table)) for table in tables.values()], flags=READONLY if readonly else 0)
        del keys["table"]
        self.ask_warned("reload", **keys)

    @contextmanager
    def suspended(self, *devices: DeviceOrName, noflush: bool = False, nolockfs: bool = False) -> Iterator[None]:
        """
        Suspends the devices at one instant for the body of the `with`: the images below them are consistent.

        >>> import dmuse
        >>> with dmuse.Daemon() as daemon:
        ...     data, log = daemon.create("data", "0 8 zero"), daemon.create("log", "0 8 zero")
        ...     with daemon.suspended(data, log):
        ...         print(data.info().suspended, log.info().suspended)
        ...     print(data.info().suspended)
        True True
        False
        """
        self.suspend(*devices, noflush=noflush, nolockfs=nolockfs)
        try:
            yield
        finally:
            self.resume(*devices, noflush=noflush, nolockfs=nolockfs)

    def cut(self, *devices: DeviceOrName, mode: Optional[str] = None, seed: Optional[int] = None, hang: bool = False) -> None:
        """
        Cuts the power of devices with powercut lines at one instant: once a request on one of them has been refused, none on
        the others completes. See PowerCut.cut().
        """
        self.ask("cut", **power_keys([name_of(d) for d in devices], cut_words(mode, seed, hang)))

    def restore(self, *devices: DeviceOrName) -> None:
        """Restores their power; see PowerCut.restore()."""
        self.ask("restore", **power_keys([name_of(d) for d in devices]))

    def mark(self, text: str, *devices: DeviceOrName) -> None:
        """
        Makes a mark, as `dmuse mark` does: in the log of each log-writes line, and for each powercut line, of DEVICES or of all.
        A workload of `dmuse crash` calls `Client().mark("committed 7")` for what it promises. On return the mark is in the log,
        or the power is off, if it was to be cut here.
        """
        marked = False
        for device in map(name_of, devices or self.devices()):
            for line in Device(self, device).table():
                if line.target in ("log-writes", "powercut"):
                    Device(self, device).message("mark", quote(text), sector=line.start)
                    marked = True
        if not marked:
            raise Error(errno.ENXIO, f"mark {text}: no device has a line of the target log-writes or powercut, which could take it")

    # Sessions.

    @property
    def program(self) -> str:
        """The path of dmuse."""
        self._program = find_program(self._program)
        return self._program

    @property
    def session(self) -> Session:
        if not self._session:
            self._session = Session(self.program, self.socket)
        return self._session

    def run(self, args: Sequence[Word], disks: Optional[Mapping[str, Word]] = None, **options: Any) -> "subprocess.CompletedProcess[Any]":
        """
        Runs a program in the daemon's session, where the devices are /dev/mapper/NAME, as subprocess.run() does, whose options
        it takes. DISKS: files that are presented as disks meanwhile; {"sda": "a.img"} is /dev/sda.
        """
        return self.session.run(args, disks, **options)

    def popen(self, args: Sequence[Word], disks: Optional[Mapping[str, Word]] = None, **options: Any) -> "subprocess.Popen[Any]":
        """The same without waiting, as subprocess.Popen()."""
        return self.session.popen(args, disks, **options)


def file_table(file: Word, size: Union[int, str], target: str = "linear", *options: object) -> str:
    """
    The table of a disk of SIZE whose content is FILE, through TARGET: one that takes <device> <offset>.

    >>> file_table("disk.img", "1M")
    '0 2048 linear disk.img 0'
    """
    words = "".join(f" {word}" for word in options)
    return f"0 {parse_size(size) // SECTOR} {target} {quote(file)} 0{words}"
