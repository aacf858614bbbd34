# SPDX-License-Identifier: BSD-2-Clause
"""
The program under test: a journal of entries in one file. What `append()` has returned for is to survive a power cut; `entries()`
gives what is there, or raises if it cannot be read.
"""
import os
import struct
import zlib

HEADER = struct.Struct(">II")   # length of the entry, its checksum


def sync_directory(path):
    """Without this the name of a new file may be lost."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Journal:
    def __init__(self, path):
        new = not os.path.exists(path)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self.broken = False
        try:
            if new:
                sync_directory(os.path.dirname(path))
            self.end = sum(HEADER.size + len(entry) for entry in self.entries())
        except OSError:
            self.close()
            raise

    def entries(self):
        """All entries that are whole: the last one may be torn, if the power failed while it was written."""
        at, found = 0, []
        while len(header := os.pread(self.fd, HEADER.size, at)) == HEADER.size:
            length, checksum = HEADER.unpack(header)
            entry = os.pread(self.fd, length, at + HEADER.size)
            if not length or len(entry) < length or zlib.crc32(entry) != checksum:
                break
            found.append(entry)
            at += HEADER.size + length
        return found

    def append(self, entry):
        """Writes ENTRY (bytes, at least one); it is durable when this returns."""
        if self.broken:
            raise OSError("an earlier write failed: open the journal again")
        data = HEADER.pack(len(entry), zlib.crc32(entry)) + entry
        try:
            while data:
                n = os.pwrite(self.fd, data, self.end)
                self.end, data = self.end + n, data[n:]
            os.fsync(self.fd)
        except OSError:
            # After a failed fsync the kernel may hold pages as clean that it has not written. A second fsync would succeed and prove nothing.
            self.broken = True
            raise

    def close(self):
        os.close(self.fd)
