# SPDX-License-Identifier: BSD-2-Clause
"""A mapped device, from `Client.create()` or `client["name"]`."""
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from .control import Reply, to_text, to_wire
from .filesystem import mkfs_options
from .nbd import NbdConnection
from .table import SECTOR, Line, Table, parse_lines, table_text

if TYPE_CHECKING:
    from .client import Client

READONLY, SUSPENDED, PERSISTENT_DEV, ACTIVE, INACTIVE = 1 << 0, 1 << 1, 1 << 3, 1 << 5, 1 << 6
SKIP_LOCKFS, NOFLUSH, QUERY_INACTIVE, DEFERRED_REMOVE = 1 << 10, 1 << 11, 1 << 12, 1 << 17


@dataclass(frozen=True)
class Info:
    """What `dmuse info` prints."""

    name: str
    uuid: str
    major: int
    minor: int
    open_count: int
    event_nr: int
    target_count: int
    sectors: int
    suspended: bool
    readonly: bool
    active: bool            # it has an active table
    inactive: bool          # it has an inactive table
    deferred_remove: bool


def info_of(reply: Reply) -> Info:
    flags = reply["flags"]
    return Info(
        name=to_text(reply["name"]), uuid=to_text(reply.get("uuid", "")), major=reply["major"], minor=reply["minor"],
        open_count=reply["open_count"], event_nr=reply["event_nr"], target_count=reply["target_count"], sectors=reply["sectors"],
        suspended=bool(flags & SUSPENDED), readonly=bool(flags & READONLY), active=bool(flags & ACTIVE),
        inactive=bool(flags & INACTIVE), deferred_remove=bool(flags & DEFERRED_REMOVE))


class Device:
    """
    A device by its name. It need not exist: whatever is asked then raises Error (ENOENT).

    >>> import dmuse
    >>> with dmuse.Daemon() as daemon:
    ...     vd = daemon.create("vd", "0 1M zero")
    ...     print(vd.size, vd.table())
    ...     vd.load([(0, "512K", "zero"), ("512K", "512K", "error")])
    ...     vd.resume()
    ...     print(*vd.table(), sep=", ")
    1048576 [Line(start=0, length=2048, target='zero', params='')]
    0 1024 zero, 1024 1024 error
    """

    def __init__(self, client: "Client", name: str) -> None:
        self.client = client
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self.client!r}>"

    def _ask(self, command: str, timeout: Optional[float] = None, **keys: Any) -> Reply:
        return self.client.ask(command, timeout, name=to_wire(self.name), **keys)

    # Queries.

    def info(self) -> Info:
        """Its state, as `dmuse info` prints it."""
        return info_of(self._ask("info"))

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.info().sectors * SECTOR

    @property
    def path(self) -> str:
        """Its block device in a session."""
        return "/dev/mapper/" + to_text(self._ask("info").get("kernel_name", self.name))

    def _lines(self, command: str, flags: int) -> List[Line]:
        return parse_lines(to_text(self._ask(command, flags=flags, text=True)["table"]))

    def table(self, inactive: bool = False) -> List[Line]:
        """The lines of its active table, or of the inactive one."""
        return self._lines("table", QUERY_INACTIVE if inactive else 0)

    def status(self, inactive: bool = False, noflush: bool = False) -> List[Line]:
        """The status of each line. NOFLUSH: targets do not commit first."""
        return self._lines("status", (QUERY_INACTIVE if inactive else 0) | (NOFLUSH if noflush else 0))

    def stats(self, reset: bool = False) -> Dict[str, Dict[str, Any]]:
        """Counters of each kind of request: `stats()["write"]["sectors"]`. See doc/protocol.md."""
        stats: Dict[str, Dict[str, Any]] = self._ask("stats", reset=reset)["stats"]
        return stats

    def faults(self) -> List[str]:
        """For each kind of request that failed since the table was loaded a sentence that says which, and why."""
        return [to_text(w) for w in self._ask("info").get("warnings", [])]

    def deps(self) -> List[str]:
        """The names of the devices that its table uses; an empty string for a file."""
        return [to_text(d["name"]) for d in self._ask("deps")["deps"]]

    @property
    def uris(self) -> List[str]:
        """All its NBD addresses, beginning with the Unix socket."""
        return [to_text(u) for u in self._ask("export")["uris"]]

    @property
    def uri(self) -> str:
        """Its NBD address, for nbdcopy, qemu-img, libnbd and so on."""
        return self.uris[0]

    def open(self, timeout: Optional[float] = None) -> NbdConnection:
        """Opens it over NBD for reading and writing. A request that takes longer than TIMEOUT seconds raises TimeoutError."""
        return NbdConnection(self.uri, timeout)

    # Commands.

    def load(self, table: Table, readonly: bool = False) -> None:
        """TABLE becomes its inactive table; `resume()` activates it."""
        flags = READONLY if readonly else 0
        self.client.ask_warned("reload", name=to_wire(self.name), flags=flags, **self.client.table_keys(table_text(table)))

    def clear(self) -> None:
        """Drops the inactive table."""
        self._ask("clear")

    def suspend(self, noflush: bool = False, nolockfs: bool = False) -> None:
        """Completes the requests in flight, flushes, and holds new requests: the disk hangs."""
        self.client.suspend(self, noflush=noflush, nolockfs=nolockfs)

    def resume(self, noflush: bool = False, nolockfs: bool = False) -> None:
        """Activates the inactive table, if there is one, and releases held requests."""
        self.client.resume(self, noflush=noflush, nolockfs=nolockfs)

    def swap(self, table: Table, readonly: bool = False, noflush: bool = False, nolockfs: bool = False) -> None:
        """
        Replaces the table of a device, which may be in use: `load()` and `resume()`. NOLOCKFS: do not freeze a mounted file
        system first; one that has failed cannot be frozen.
        """
        self.load(table, readonly)
        try:
            self.resume(noflush, nolockfs)
        except OSError:
            self.clear()
            raise

    def remove(self, force: bool = False, deferred: bool = False) -> None:
        """Removes it. FORCE: first make every request fail, so that its users close it. DEFERRED: at the last close."""
        self._ask("remove", flags=DEFERRED_REMOVE if deferred else 0, force=force)

    def rename(self, name: str) -> None:
        """Changes its name."""
        self._ask("rename", cmd_data=[to_wire(name)])
        self.name = name

    def set_uuid(self, uuid: str) -> None:
        """Sets its uuid, if it has none."""
        self._ask("set_uuid", cmd_data=[to_wire(uuid)])

    def message(self, *words: object, sector: int = 0) -> str:
        """Sends a message to the target that maps SECTOR, and returns the answer, which is often empty."""
        text = " ".join(str(w) for w in words)
        return to_text(self._ask("message", sector=sector, message=to_wire(text)).get("answer", ""))

    @property
    def event_nr(self) -> int:
        """The number of events so far; see `wait()`."""
        return self.info().event_nr

    def wait(self, event_nr: int, timeout: Optional[float] = None) -> int:
        """
        Waits until the number of events differs from EVENT_NR, and returns it. Read `event_nr` before you cause the event.
        Raises TimeoutError after TIMEOUT seconds; by default it waits for ever.
        """
        nr: int = self._ask("wait", math.inf if timeout is None else timeout, event_nr=event_nr)["event_nr"]
        return nr

    # A file system on it, in the daemon's session.

    def mkfs(self, kind: str = "ext4", options: Sequence[str] = ()) -> None:
        """Makes a file system with mkfs.KIND in the session. Raises CommandFailed, with the output, if that fails."""
        self.client.mounts.call([f"mkfs.{kind}", *mkfs_options(kind), *options, self.path])

    def mount(self, options: str = "") -> Path:
        """
        Mounts its file system in the session and returns the directory, as a path that is valid outside the session too. It
        stays the same when the device is mounted again. For root, mount(8) is used if there are loop devices; otherwise
        fuse2fs(1), for ext2, ext3 and ext4.
        """
        return self.client.mounts.mount(self.name, self.path, options)

    def umount(self, lazy: bool = False) -> None:
        """Unmounts it, and waits until the device is released. LAZY: also while files are open, and without waiting."""
        self.client.mounts.umount(self.name, lazy)

    def fsck(self) -> None:
        """Checks its unmounted file system without repairing it. Raises CommandFailed, with the output, if it is not clean."""
        self.client.mounts.call(["fsck", "-n", self.path])
