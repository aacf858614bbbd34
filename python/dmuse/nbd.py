# SPDX-License-Identifier: BSD-2-Clause
"""
Reading and writing a disk over NBD, from any process and without privileges: `Device.open()`.

It is a small client, one request at a time, for tests; python3-libnbd is the fast and complete one, and takes `Device.uri`.
"""
from __future__ import annotations

import errno
import os
import socket
import struct
from types import TracebackType
from typing import Dict, Optional, Type
from urllib.parse import parse_qs, unquote, urlsplit

from .errors import Error

_OPTION, _OPTION_REPLY = 0x49484156454F5054, 0x0003E889045565A9
_REQUEST, _SIMPLE_REPLY = 0x25609513, 0x67446698
_GO, _ACK, _INFO = 7, 1, 3
_READ, _WRITE, _DISCONNECT, _FLUSH, _TRIM, _ZEROES = 0, 1, 2, 3, 4, 6
_NAMES: Dict[int, str] = {_READ: "read", _WRITE: "write", _FLUSH: "flush", _TRIM: "discard", _ZEROES: "zero"}
_FUA = 1
_MOST = 1 << 20     # bytes of one request
_HANDSHAKE = 30     # seconds


class NbdConnection:
    """
    An open disk. `with device.open() as disk: disk.pwrite(b"x" * 512, 0); disk.flush()`. Positions and lengths are bytes, and
    whole sectors of 512.
    A request that fails raises Error with the number that the disk gave, above all EIO.
    """

    def __init__(self, uri: str, timeout: Optional[float] = None) -> None:
        """A request that takes longer than TIMEOUT seconds raises TimeoutError; then the connection can only be closed."""
        parts = urlsplit(uri)
        if parts.scheme not in ("nbd", "nbd+unix"):
            raise Error(errno.EOPNOTSUPP, f"{uri}: only nbd:// and nbd+unix:// are possible here; use libnbd")
        self.name = unquote(parts.path[1:])
        self.size = 0
        self._timeout = timeout
        self._cookie = 0
        if parts.scheme == "nbd":
            self._socket = socket.create_connection((parts.hostname or "localhost", parts.port or 10809), _HANDSHAKE)
        else:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(_HANDSHAKE)
            self._socket.connect(parse_qs(parts.query)["socket"][0])
        try:
            self._negotiate()
            self._socket.settimeout(timeout)
        except BaseException:
            self._socket.close()
            raise

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            n = self._socket.recv_into(view)
            if not n:
                raise Error(errno.ECONNRESET, f"{self.name}: the daemon has closed the NBD connection")
            view = view[n:]
        return data

    def _negotiate(self) -> None:
        self._read(16)                                      # NBDMAGIC, IHAVEOPT
        flags = int.from_bytes(self._read(2), "big") & 3    # fixed newstyle, no zeroes
        name = os.fsencode(self.name)
        option = struct.pack(">I", len(name)) + name + b"\0\0"
        self._socket.sendall(struct.pack(">IQII", flags, _OPTION, _GO, len(option)) + option)
        while True:
            magic, _, kind, length = struct.unpack(">QIII", self._read(20))
            data = bytes(self._read(length))
            if magic != _OPTION_REPLY or kind & 1 << 31:
                raise Error(errno.ENODEV, f"{self.name}: cannot be opened over NBD: {data.decode(errors='replace') or hex(kind)}")
            if kind == _INFO and data[:2] == b"\0\0":
                self.size = int.from_bytes(data[2:10], "big")
            if kind == _ACK:
                return

    def _send(self, command: int, flags: int, offset: int, length: int, data: bytes = b"") -> None:
        self._cookie += 1
        self._socket.sendall(struct.pack(">IHHQQI", _REQUEST, flags, command, self._cookie, offset, length) + data)

    def _ask(self, command: int, offset: int, length: int, data: bytes = b"", fua: bool = False) -> bytes:
        try:
            self._send(command, _FUA if fua else 0, offset, length, data)
            magic, code, cookie = struct.unpack(">IIQ", self._read(16))
            if magic != _SIMPLE_REPLY or cookie != self._cookie:
                raise Error(errno.EPROTO, f"{self.name}: the NBD server answered something else")
            if code:
                where = "" if command == _FLUSH else f" of {length} bytes at {offset}"
                raise Error(code, f"{self.name}: {_NAMES[command]}{where} failed: {os.strerror(code)}")
            return bytes(self._read(length)) if command == _READ else b""
        except socket.timeout:
            raise TimeoutError(f"{self.name}: {_NAMES[command]} was not answered within {self._timeout:g} s") from None

    def _pieces(self, command: int, offset: int, length: int, fua: bool = False) -> None:
        most = 1 << 30
        for at in range(0, length, most):
            self._ask(command, offset + at, min(most, length - at), fua=fua)

    def pread(self, length: int, offset: int) -> bytes:
        """Reads LENGTH bytes at OFFSET."""
        return b"".join(self._ask(_READ, offset + at, min(_MOST, length - at)) for at in range(0, length, _MOST))

    def pwrite(self, data: bytes, offset: int, fua: bool = False) -> int:
        """Writes DATA at OFFSET and returns its length, as os.pwrite() does. FUA: it is durable on return."""
        for at in range(0, len(data), _MOST):
            piece = data[at:at + _MOST]
            self._ask(_WRITE, offset + at, len(piece), bytes(piece), fua)
        return len(data)

    def flush(self) -> None:
        """Flushes: what was written before is durable on return, as with fsync()."""
        self._ask(_FLUSH, 0, 0)

    def discard(self, length: int, offset: int) -> None:
        """Discards LENGTH bytes at OFFSET, whose content is no longer needed."""
        self._pieces(_TRIM, offset, length)

    def zero(self, length: int, offset: int, fua: bool = False) -> None:
        """Writes zeros to LENGTH bytes at OFFSET."""
        self._pieces(_ZEROES, offset, length, fua)

    def close(self) -> None:
        """Closes the connection without a flush. On return the daemon has released the disk, unless a request hangs."""
        try:
            self._send(_DISCONNECT, 0, 0, 0)
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(4096):
                pass
        except OSError:
            pass
        self._socket.close()

    def __enter__(self) -> "NbdConnection":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()
