# SPDX-License-Identifier: BSD-2-Clause
"""
Programs that write files and remember what a successful fsync has promised. Each file has versions, whose content follows
from its name and number. After a power cut a file must be a version between the last that was promised and the last that
was begun, whole; sectors and the lines of a log that are written in place each for itself.

A promise counts if it was given before the cut was asked for. With a power cut that is no restriction, for nobody hears a later one;
but here programs go on, and file systems that shut down because their disk has failed have been seen to promise (XFS, btrfs).
"""
import hashlib
import mmap
import os
import random
import threading

SECTOR, BLOCK, BLOCKS = 512, 4096, 48
MOST = 24               # files of a kind


def bytes_of(name, version, size):
    """The content of a version. Each sector says whose it is, so a mixture is told from both."""
    stamp = hashlib.blake2b(f"{name} {version}".encode(), digest_size=32).digest() * (SECTOR // 32)
    return (stamp * (size // SECTOR + 1))[:size]


def size_of(name, version):
    return random.Random(f"{name} {version}").choice((100, 700, 4096, 9000, 40000))


def whole(name, version):
    return bytes_of(name, version, size_of(name, version))


class File:
    """Version 0 is that there is none."""
    def __init__(self):
        self.promised = self.begun = 0


class Worker(threading.Thread):
    """One directory. What a call has promised counts from its return on; the cut may come at any moment."""
    def __init__(self, directory, seed, answered):
        super().__init__(daemon=True)
        self.directory, self.answered, self.rng = directory, answered, random.Random(seed)
        self.files = {}                                 # name -> File
        self.blocks = [File() for _ in range(BLOCKS)]
        self.lines = File()                             # of the log: a version is a number of lines
        self.error = None
        self.stopping = False
        self.late = False                               # the cut has been asked for

    def again(self, seed):
        """The same files, for the next round."""
        other = Worker(self.directory, seed, self.answered)
        other.files, other.blocks, other.lines = self.files, self.blocks, self.lines
        return other

    def path(self, name):
        return f"{self.directory}/{name}"

    def prepare(self):
        os.mkdir(self.directory)
        for name, size in (("blocks", BLOCKS * BLOCK), ("log", 0)):
            with open(self.path(name), "wb") as f:
                f.write(bytes(size))
                f.flush()
                os.fsync(f.fileno())
        self.sync_directory(self.directory)
        self.sync_directory(os.path.dirname(self.directory))

    @staticmethod
    def sync_directory(path):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def run(self):
        steps = (self.create, self.create, self.replace, self.remove, self.append, self.append, self.overwrite, self.direct)
        late = (self.replace, self.append, self.overwrite, self.direct)     # any version of what was begun may be there
        try:
            while not self.stopping:
                self.rng.choice(late if self.late else steps)()
        except OSError as e:
            self.error = e

    def write(self, name, data):
        fd = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(fd, data)
            self.rng.choice((os.fsync, os.fdatasync))(fd)
        finally:
            os.close(fd)

    def next_of(self, file):
        file.begun += 1
        return file.begun

    def promise(self, file, version):
        if not self.late:
            file.promised = version
            self.answered()

    def create(self):
        name = f"new{self.rng.randrange(MOST)}"
        file = self.files.setdefault(name, File())
        if file.promised and file.promised == file.begun and file.begun % 2:
            return
        version = self.next_of(file)                    # odd: it is there; even: it is not
        self.write(name, whole(name, version))
        self.sync_directory(self.directory)
        self.promise(file, version)

    def remove(self):
        there = [name for name, file in self.files.items() if name.startswith("new") and file.promised % 2]
        if not there:
            return
        name = self.rng.choice(there)
        version = self.next_of(self.files[name])
        os.unlink(self.path(name))
        self.sync_directory(self.directory)
        self.promise(self.files[name], version)

    def replace(self):
        name = f"kept{self.rng.randrange(MOST)}"
        file = self.files.setdefault(name, File())
        version = self.next_of(file)
        self.write(name + ".tmp", whole(name, version))
        os.rename(self.path(name + ".tmp"), self.path(name))
        self.sync_directory(self.directory)
        self.promise(file, version)

    def append(self):
        version = self.next_of(self.lines)
        fd = os.open(self.path("log"), os.O_WRONLY)
        try:
            os.pwrite(fd, bytes_of("log", version, SECTOR), (version - 1) * SECTOR)
            os.fdatasync(fd)
        finally:
            os.close(fd)
        self.promise(self.lines, version)

    def block(self, flags, put):
        at = self.rng.randrange(BLOCKS)
        version = self.next_of(self.blocks[at])
        fd = os.open(self.path("blocks"), os.O_RDWR | flags)
        try:
            put(fd, at, bytes_of(f"block {at}", version, BLOCK))
        finally:
            os.close(fd)
        self.promise(self.blocks[at], version)

    def overwrite(self):
        def put(fd, at, data):
            os.pwrite(fd, data, at * BLOCK)
            os.fdatasync(fd)
        self.block(0, put)

    def direct(self):
        def put(fd, at, data):
            with mmap.mmap(-1, BLOCK) as aligned:
                aligned[:] = data
                os.pwritev(fd, [aligned], at * BLOCK)
        self.block(os.O_DIRECT | os.O_DSYNC, put)

    # After a cut: what is there is what counts from now on.

    def check(self):
        """Sentences about what is wrong."""
        wrong = [self.check_file(name, file) for name, file in self.files.items()]
        wrong += self.check_log() + self.check_blocks()
        for name in os.listdir(self.directory):
            if name.endswith(".tmp"):
                os.unlink(self.path(name))
        self.sync_directory(self.directory)
        return [sentence for sentence in wrong if sentence]

    def check_file(self, name, file):
        try:
            with open(self.path(name), "rb") as f:
                found = f.read()
        except FileNotFoundError:
            found = None
        versions = range(file.promised, file.begun + 1)
        for version in versions:
            if found == self.content(name, version):
                file.promised = file.begun = version
                return None
        if name.startswith("new") and file.begun % 2 and file.promised < file.begun and found is not None:
            file.begun += 1                             # created and not synced: it may have any part of its content
            os.unlink(self.path(name))
            file.promised = file.begun
            return None
        what = "is not there" if found is None else f"has {len(found)} bytes, and is not whole"
        return f"{self.path(name)} {what}: version {file.promised} was promised, {file.begun} begun"

    @staticmethod
    def content(name, version):
        if not version or (name.startswith("new") and not version % 2):
            return None
        return whole(name, version)

    def check_log(self):
        with open(self.path("log"), "rb") as f:
            found = f.read()
        lines = self.lines
        wrong = [f"{self.path('log')}: line {i} of {lines.promised} that were promised is not whole"
                 for i in range(1, lines.promised + 1)
                 if found[(i - 1) * SECTOR:i * SECTOR] != bytes_of("log", i, SECTOR)]
        lines.begun = lines.promised
        return wrong[:3]

    def check_blocks(self):
        with open(self.path("blocks"), "rb") as f:
            found = f.read()
        wrong = []
        for at, block in enumerate(self.blocks):
            possible = {bytes_of(f"block {at}", version, SECTOR) if version else bytes(SECTOR)
                        for version in range(block.promised, block.begun + 1)}
            data = found[at * BLOCK:(at + 1) * BLOCK]
            if len(data) < BLOCK or any(data[i:i + SECTOR] not in possible for i in range(0, BLOCK, SECTOR)):
                wrong.append(f"{self.path('blocks')}: block {at} is older than version {block.promised}, which was promised")
        return wrong[:3]
