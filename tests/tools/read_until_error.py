# SPDX-License-Identifier: BSD-2-Clause
"""Reads /dev/mapper/x of a session behind the page cache, until it gets an error. The file `going` says that it has begun."""
import os

fd = os.open("/dev/mapper/x", os.O_RDONLY)
try:
    while True:
        os.pread(fd, 512, 0)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        open("going", "w").close()
except OSError:
    print("error")
