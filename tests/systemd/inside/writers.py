# SPDX-License-Identifier: BSD-2-Clause
"""
Programs that use devices while their daemon dies: a client of NBD (tests/kill/nbd.py, which sends again what was not
answered), and a program that has a file of `dmuse mount`, or a node of a session, open all the time.
"""
import mmap
import os
import random
import threading
import time

import nbd

BLOCKS = 64


def yield_to_others():
    """This thread is to go on, not to go fast: on few or emulated processors systemd comes first."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


class Disk(nbd.Disk):
    def run(self, batch=8):
        yield_to_others()
        super().run(batch)


class Clients:
    """NBD clients, one for each device."""
    def __init__(self, *names):
        self.stop = threading.Event()
        self.disks = [Disk("/run/dmuse/nbd", name, BLOCKS, random.Random(name), self.stop) for name in names]
        self.load = nbd.Load(self.disks)
        self.load.start()

    def count(self):
        """Writes that were answered, of the client with the fewest."""
        return min(disk.writes for disk in self.disks)

    def connected_again(self):
        return sum(disk.again for disk in self.disks)

    @property
    def failure(self):
        return self.load.failure

    def end(self):
        self.stop.set()
        self.load.join()
        return self.failure


class FileWriter(threading.Thread):
    """One descriptor; blocks that say what they are, each synced and read again."""
    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.stopping, self.failure = path, False, None
        self.writes, self.longest, self.rng = 0, 0, random.Random(path)      # seconds
        self.versions = [0] * BLOCKS
        self.fd = os.open(path, os.O_RDWR)

    def content(self, block):
        stamp = f"{self.path} block {block} version {self.versions[block]}\n".encode()
        return (stamp * 4096)[:4096]

    def step(self):
        block = self.rng.randrange(BLOCKS)
        self.versions[block] += 1
        began = time.monotonic()
        os.pwrite(self.fd, self.content(block), block * 4096)
        os.fsync(self.fd)
        self.longest = max(self.longest, time.monotonic() - began)
        at = self.rng.randrange(BLOCKS)
        if self.versions[at] and os.pread(self.fd, 4096, at * 4096) != self.content(at):
            raise OSError(f"block {at} is not what was written")
        self.writes += 1

    def run(self):
        yield_to_others()
        try:
            while not self.stopping:
                self.step()
        except OSError as e:
            self.failure = e

    def count(self):
        return self.writes

    def end(self):
        self.stopping = True
        self.join(nbd.SILENCE)
        if self.is_alive():
            return "it hangs"
        os.close(self.fd)
        return self.failure


class DeviceWriter(FileWriter):
    """A block device without cache; what fails is tried again, for a while."""
    def __init__(self, path):
        super().__init__(path)
        os.close(self.fd)
        self.failed = 0
        self.fd = os.open(path, os.O_RDWR | os.O_DIRECT | os.O_DSYNC)
        self.buffer = mmap.mmap(-1, 4096)

    def again(self, transfer, block):
        deadline = time.monotonic() + nbd.SILENCE * 4
        while True:
            try:
                if transfer(self.fd, [self.buffer], block * 4096) == 4096:
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise
            self.failed += 1
            time.sleep(0.05)

    def step(self):
        block = self.rng.randrange(BLOCKS)
        self.versions[block] += 1
        self.buffer[:] = self.content(block)
        self.again(os.pwritev, block)
        at = self.rng.randrange(BLOCKS)
        self.again(os.preadv, at)
        if self.versions[at] and self.buffer[:] != self.content(at):
            raise OSError(f"block {at} is not what was written")
        self.writes += 1
