# SPDX-License-Identifier: BSD-2-Clause
"""
A reader of logs of writes that shares nothing with the program's: written from the description of the format in Linux's
Documentation/admin-guide/device-mapper/log-writes.rst and the layout that goes with it.

  log_reader.py LOG            prints one entry per line: sector+sectors flags 'text' (sectors of the log's size)
  log_reader.py LOG IMAGE [N]  writes the first N entries (all) to IMAGE
"""
import struct
import sys

MAGIC, FLUSH, FUA, DISCARD, MARK = 0x6A736677736872, 1, 2, 4, 8


def entries(log):
    magic, version, count, size = struct.unpack("<QQQI", log.read(28))
    assert magic == MAGIC and version == 1, (hex(magic), version)
    at = size
    for _ in range(count):
        log.seek(at)
        head = log.read(size)
        sector, sectors, flags, length = struct.unpack("<QQQQ", head[:32])
        text = head[32:32 + length] if flags & MARK else b""
        at += size
        data = None
        if not flags & DISCARD and sectors:
            data = log.read(sectors * size)
            assert len(data) == sectors * size, "the log ends within an entry"
            at += sectors * size
        yield size, sector, sectors, flags, text.decode(), data


def main():
    with open(sys.argv[1], "rb") as log:
        if len(sys.argv) == 2:
            for _, sector, sectors, flags, text, _ in entries(log):
                print(f"{sector}+{sectors} {flags} '{text}'")
            return
        with open(sys.argv[2], "r+b") as image:
            for n, (size, sector, sectors, flags, _, data) in enumerate(entries(log)):
                if len(sys.argv) > 3 and n == int(sys.argv[3]):
                    break
                image.seek(sector * size)
                image.write(bytes(sectors * size) if flags & DISCARD else data or b"")


main()
