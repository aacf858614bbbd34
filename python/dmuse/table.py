# SPDX-License-Identifier: BSD-2-Clause
"""
Tables. A table is text, or lines; a line is text, or a tuple (start, length, target, word, ...). Numbers are sectors of 512
bytes; with a suffix, "64K" or "10M", they are bytes. Words of a tuple may be paths with any characters; in text, blanks
and backslashes are escaped with a backslash, which `quote()` does.

>>> table_text([(0, "1M", "linear", "/tmp/two words.img", 8), "2048 8 error"])
'0 1M linear /tmp/two\\\\ words.img 8\\n2048 8 error'
"""
from __future__ import annotations

import os
import re
from typing import Iterable, List, NamedTuple, Tuple, Union

Word = Union[str, bytes, int, "os.PathLike[str]"]
TableLine = Union[str, Tuple[Word, ...]]
Table = Union[str, Iterable[TableLine]]

SECTOR = 512

_SUFFIXES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}


class Line(NamedTuple):
    """A line of a table or a status, for the sectors `start` to `start + length - 1`."""

    start: int
    length: int
    target: str
    params: str

    def __str__(self) -> str:
        return f"{self.start} {self.length} {self.target} {self.params}".rstrip(" ")


def quote(word: Word) -> str:
    """
    WORD as it stands in the text of a table.

    >>> quote("/tmp/two words.img")
    '/tmp/two\\\\ words.img'
    """
    text = str(word) if isinstance(word, int) else os.fsdecode(word)
    return re.sub(r"[\s\\'\"]", lambda c: "\\" + c[0], text)


def table_text(table: Table) -> str:
    """TABLE as text."""
    if isinstance(table, str):
        return table
    return "\n".join(line if isinstance(line, str) else " ".join(map(quote, line)) for line in table)


def parse_lines(text: str) -> List[Line]:
    """The lines of a table or a status in the daemon's form, in which a backslash also escapes a line break."""
    rows = (m[0].split(" ", 3) for m in re.finditer(r"(?:\\.|[^\\\n])+", text, re.S))
    return [Line(int(r[0]), int(r[1]), r[2], r[3] if len(r) > 3 else "") for r in rows]


def parse_size(size: Union[int, str]) -> int:
    """
    Bytes: a number, or one with a suffix K, M, G, T or P (powers of 1024). A disk has whole sectors.

    >>> parse_size("64M")
    67108864
    >>> parse_size(1000)
    Traceback (most recent call last):
    ValueError: a size of 1000 bytes is not a multiple of 512, the size of a sector
    """
    text = str(size).strip()
    m = re.fullmatch(r"([0-9]+)([KMGTP]?)", text, re.I)
    if not m:
        raise ValueError(f"'{text}' is not a size: a number of bytes is wanted, such as 1048576, 64K or 10M")
    value = int(m[1]) * _SUFFIXES[m[2].upper()]
    if value % SECTOR or not value:
        raise ValueError(f"a size of {value} bytes is not a multiple of {SECTOR}, the size of a sector" if value
                         else "a disk of 0 bytes has no use")
    return value
