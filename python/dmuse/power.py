# SPDX-License-Identifier: BSD-2-Clause
"""
Power cuts: a disk with a volatile write cache, the target powercut. What is written is seen at once, but only a flush or FUA
makes it durable. `cut()` takes the power away: every request fails from then on. `restore()` gives it back, and the disk shows
what has survived: all that is durable, and of the rest what the mode and the seed say.

Modes: lost (nothing else survives), kept (all does), prefix, subset, reordered, torn, and any, which is one of these by the seed.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from .control import to_wire
from .device import Device
from .table import quote

MODES = ("lost", "kept", "prefix", "subset", "reordered", "torn", "any")


@dataclass(frozen=True)
class PowerState:
    """The status of a powercut line."""

    state: str          # up, cut or restoring
    epoch: int          # how often the power was restored
    requests: int       # that are not durable
    sectors: int        # that these wrote
    seed: int           # of the next cut, or of the one that has happened
    mode: str
    writes: int         # since the power was restored
    flushes: int
    spilled: int        # sectors of the cache that are in the spill file
    trigger: str        # what the next cut waits for: "at mark NAME", "after N writes", "after N flushes", or nothing


def parse_state(params: str) -> PowerState:
    """
    >>> parse_state("up 0 2 16 7 any 3 1 0 at mark ready")
    PowerState(state='up', epoch=0, requests=2, sectors=16, seed=7, mode='any', writes=3, flushes=1, spilled=0, trigger='at mark ready')
    """
    state, epoch, requests, sectors, seed, mode, writes, flushes, spilled, *trigger = params.split(" ")
    return PowerState(state, int(epoch), int(requests), int(sectors), int(seed), mode, int(writes), int(flushes), int(spilled), " ".join(trigger))


def cut_words(mode: Optional[str], seed: Optional[int], hang: bool) -> str:
    """The arguments of the target's message `cut`."""
    words = [mode] if mode else []
    words += [f"seed {seed}"] if seed is not None else []
    return " ".join(words + ["hang"] * hang)


def power_keys(devices: Sequence[str], words: str = "") -> Dict[str, Any]:
    """The keys of the commands `cut` and `restore`."""
    keys: Dict[str, Any] = {"names": [to_wire(name) for name in devices]}
    return {**keys, "message": words} if words else keys


def power_options(seed: Optional[int] = None, mode: Optional[str] = None, atomic: Optional[int] = None, hang: bool = False,
                  memory: Optional[str] = None, spill: Optional[str] = None) -> List[object]:
    """
    The options of a powercut line. ATOMIC: bytes that are never torn, by default 4096.

    >>> power_options(seed=7, mode="torn", atomic=512, hang=True)
    ['seed', 7, 'mode', 'torn', 'chunk', 1, 'atomic', 'hang']
    """
    if atomic is not None and (atomic < 512 or atomic % 512):
        raise ValueError(f"an atomic unit of {atomic} bytes is not a multiple of 512, the size of a sector")
    given = [("seed", seed), ("mode", mode), ("chunk", atomic and atomic // 512)]
    words: List[object] = [word for key, value in given if value is not None for word in (key, value)]
    words += ["atomic"] if atomic else []
    words += ["hang"] if hang else []
    return words + [word for key, value in (("memory", memory), ("spill", spill)) if value is not None for word in (key, value)]


class PowerCut(Device):
    """
    A device whose first line is powercut; `Daemon.new_power_cut()` makes one.

    >>> import dmuse
    >>> with dmuse.Daemon() as daemon:
    ...     disk = daemon.new_power_cut("1M", mode="lost")
    ...     with disk.open() as opened:
    ...         _ = opened.pwrite(b"a" * 512, 0)
    ...         opened.flush()
    ...         _ = opened.pwrite(b"b" * 512, 0)
    ...     disk.cut()
    ...     disk.restore()
    ...     with disk.open() as opened:
    ...         print(opened.pread(512, 0)[:3])
    b'aaa'
    """

    @property
    def state(self) -> PowerState:
        """Whether the power is on, and how much is not durable."""
        return parse_state(self.status(noflush=True)[0].params)

    @property
    def seed(self) -> int:
        """The seed that decides what survives the next cut."""
        return self.state.seed

    def cut(self, mode: Optional[str] = None, seed: Optional[int] = None, hang: bool = False) -> None:
        """
        Cuts the power now. MODE, SEED: what will survive, instead of what the table says. HANG: requests hang until
        `restore()`, and then fail; else they fail at once.
        """
        self.client.ask("cut", **power_keys([self.name], cut_words(mode, seed, hang)))

    def cut_after_writes(self, n: int) -> None:
        """Cuts the power when N more writes have completed."""
        self.message("cut", "after", n, "writes")

    def cut_after_flushes(self, n: int) -> None:
        """Cuts the power when N more flushes have completed."""
        self.message("cut", "after", n, "flushes")

    def cut_at_mark(self, name: str) -> None:
        """Cuts the power when this mark is made."""
        self.message("cut", "at", "mark", quote(name))

    def cut_never(self) -> None:
        """Cancels a cut that is still to come."""
        self.message("cut", "never")

    def mark(self, name: str) -> None:
        """Makes a mark. If a cut waits for it, the power is off on return."""
        self.message("mark", quote(name))

    def wait_for_cut(self, timeout: Optional[float] = None) -> None:
        """Waits until the power is off. Raises TimeoutError after TIMEOUT seconds."""
        while True:
            nr = self.event_nr
            if self.state.state != "up":
                return
            self.wait(nr, timeout)

    def restore(self) -> None:
        """Restores the power: the disk shows what survived. Raises Error (EBUSY) if it is mounted or open for writing."""
        self.client.ask("restore", **power_keys([self.name]))

    def recover(self, options: str = "") -> Path:
        """
        After a cut: unmounts the file system, restores the power and mounts it again, as a machine that boots again does.
        Returns the directory, which is the same as before. Files on it must be closed.
        """
        self.umount()
        self.restore()
        return self.mount(options)
