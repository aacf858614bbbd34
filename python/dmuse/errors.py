# SPDX-License-Identifier: BSD-2-Clause
"""One exception for all failures, with the daemon's error message and a number of errno(3)."""
from __future__ import annotations

import errno
from typing import Dict

# The daemon answers with NetBSD's numbers (doc/protocol.md). Up to 34 they are Linux's, with one exception.
_FROM_NETBSD: Dict[int, int] = {
    11: errno.EDEADLK,
    35: errno.EAGAIN,
    40: errno.EMSGSIZE,
    45: errno.EOPNOTSUPP,
    48: errno.EADDRINUSE,
    54: errno.ECONNRESET,
    55: errno.ENOBUFS,
    58: errno.ESHUTDOWN,
    60: errno.ETIMEDOUT,
    62: errno.ELOOP,
    63: errno.ENAMETOOLONG,
    66: errno.ENOTEMPTY,
    78: errno.ENOSYS,
    84: errno.EOVERFLOW,
    85: errno.EILSEQ,
    96: errno.EPROTO,
}


class Error(OSError):
    """
    A command, or a request on a disk, failed. It is an OSError: `errno` is the number, `strerror` (and `str()`) the
    message, which says what was wrong and where.

    >>> import errno
    >>> try:
    ...     raise Error(errno.EBUSY, "remove vd: it is in use")
    ... except OSError as e:
    ...     print(e.errno == errno.EBUSY, e)
    True remove vd: it is in use
    """

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(code, sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class DmuseWarning(UserWarning):
    """A warning of the daemon for a command that succeeded."""


def from_netbsd(number: int) -> int:
    """The number of errno(3) on this system for a number in a reply."""
    return _FROM_NETBSD.get(number, number)
