# SPDX-License-Identifier: BSD-2-Clause
"""
The control socket: a property list in, a property list out (doc/protocol.md).

Why the protocol, and not the program with --json? A command is a round trip of a fraction of a millisecond instead of the start of
a process, which counts where a test cuts the power a thousand times; a wait is cancelled by closing its connection; and the reply
has the sentence and the number of an error as they are. The program is only needed to start a daemon and to enter a session.
"""
from __future__ import annotations

import contextlib
import errno
import os
import plistlib
import secrets
import signal
import socket
import struct
import threading
from typing import Any, Dict, List, Optional, Tuple, Union

from .errors import Error, from_netbsd

Reply = Dict[str, Any]

_DAEMONS = 5       # so many end before they answer, each followed by another one; then it is an error


def to_wire(text: str) -> Union[str, bytes]:
    """TEXT for a request: a string, or <data> if XML cannot represent it (a path may be any bytes)."""
    raw = os.fsencode(text)
    try:
        plain = raw.decode()
    except UnicodeDecodeError:
        return raw
    return raw if any(c < " " and c not in "\t\n" or c == "\x7f" for c in plain) else plain


def to_text(value: Union[str, bytes]) -> str:
    """A string of a reply, which is <data> if XML cannot represent it."""
    return os.fsdecode(value)


def _sentence(command: str, keys: Reply, reply: Reply) -> str:
    """The error message as the program prints it."""
    where = " ".join([command, *map(to_text, [keys["name"]] if "name" in keys else keys.get("names", []))])
    return f"{where}: {to_text(reply.get('error', 'failed'))}"


class _Stream:
    """One connection. The daemon processes its requests one at a time."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._answered = False
        try:
            self._socket.connect(path)
            self._check_owner(path)
        except BaseException:
            self._socket.close()
            raise

    def peer(self) -> Tuple[int, int]:
        """The process id and user id of whoever listened when this was connected: a daemon, or one before it."""
        pid, uid, _ = struct.unpack("3i", self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return pid, uid

    def _check_owner(self, path: str) -> None:
        """Another user may have made a socket at this path."""
        owner = self.peer()[1]
        if owner not in (0, os.geteuid()):
            raise PermissionError(f"the daemon on {path} belongs to user {owner}, neither to you nor to root")

    def _read(self, length: int) -> bytes:
        parts: List[bytes] = []
        while length:
            part = self._socket.recv(min(length, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def exchange(self, request: Reply, timeout: Optional[float]) -> Reply:
        message = plistlib.dumps(request, sort_keys=False)
        self._socket.settimeout(timeout)
        self._socket.sendall(len(message).to_bytes(4, "big") + message)
        reply: Reply = plistlib.loads(self._read(int.from_bytes(self._read(4), "big")))
        self._answered = True
        return reply

    def wait_for_end(self, timeout: Optional[float]) -> None:
        """Waits until the daemon closes the connection, which it does when it exits."""
        self._socket.settimeout(timeout)
        try:
            while self._socket.recv(4096):
                pass
        except ConnectionResetError:
            pass

    def _has_ended(self) -> bool:
        self._socket.setblocking(False)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def _process(self, path: str) -> int:
        """A descriptor of the daemon: who has answered here listens by now, to whoever connects."""
        if not self._answered:
            with contextlib.suppress(socket.timeout):      # it hangs
                self.exchange({"command": "version"}, 5)
        newer = _Stream(path)
        try:
            return os.pidfd_open(newer.peer()[0])
        finally:
            newer.close()

    def kill(self, path: str) -> bool:
        """Kills the daemon. False: it has ended already, and another process may have its number now."""
        try:
            process = self._process(path)
        except (ConnectionError, FileNotFoundError, ProcessLookupError, EOFError):
            return False
        try:
            # The daemon's end closes the connection: while that is open, the descriptor, which came first, is the daemon's.
            alive = not self._has_ended()
            if alive:
                signal.pidfd_send_signal(process, signal.SIGKILL)
            return alive
        finally:
            os.close(process)

    def close(self) -> None:
        self._socket.close()


class Control:
    """Connections to one daemon. Threads may share it: a request has a connection to itself."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._idle: List[_Stream] = []
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _take(self) -> _Stream:
        with self._lock:
            if self._pid != os.getpid():    # after a fork the connections belong to the parent
                self._idle, self._pid = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        try:
            return _Stream(self.path)
        except OSError as e:
            raise Error(e.errno or 0, f"no daemon answers on {self.path}: {e.strerror or e}") from None

    def _give_back(self, stream: _Stream) -> None:
        with self._lock:
            self._idle.append(stream)

    def raw(self, command: str, timeout: Optional[float] = None, **keys: Any) -> Reply:
        """
        The reply, also of a command that failed. After TIMEOUT seconds the command is cancelled: raises TimeoutError. A daemon
        that ends before it answers may have carried the command out: the one that follows on its socket is asked again, and
        knows by the command's identity whether it is to be repeated.
        """
        request = {"command": command, "id": secrets.token_hex(16), **keys}
        stream = self._take()
        for tries in range(_DAEMONS, -1, -1):
            try:
                reply = stream.exchange(request, timeout)
            except (EOFError, ConnectionError):
                stream.close()
                stream = self._next(command, tries)
            except socket.timeout:
                stream.close()
                raise TimeoutError(f"{command}: no answer within {timeout:g} s") from None
            except BaseException:
                stream.close()
                raise
            else:
                break
        self._give_back(stream)
        return reply

    def _next(self, command: str, tries: int) -> _Stream:
        """A connection to the daemon that follows one that has ended, if so many tries are left."""
        with contextlib.suppress(OSError):
            if tries:
                return _Stream(self.path)
        raise Error(errno.ECONNRESET, f"{command}: the daemon on {self.path} has ended") from None

    def ask(self, command: str, timeout: Optional[float] = None, **keys: Any) -> Reply:
        """The reply. Raises Error if the command failed."""
        reply = self.raw(command, timeout, **keys)
        if reply["errno"]:
            raise Error(from_netbsd(reply["errno"]), _sentence(command, keys, reply))
        return reply

    def kill(self) -> None:
        """Kills the daemon with SIGKILL, and waits until it is gone."""
        stream = self._take()
        try:
            if stream.kill(self.path):
                stream.wait_for_end(None)
        finally:
            stream.close()
            self.close()

    def shutdown(self, timeout: Optional[float] = None) -> None:
        """Shuts down the daemon, if it runs, and waits for its end. Raises Error if data was lost or programs had to be killed."""
        try:
            stream = self._take()
        except Error as e:
            if e.errno in (errno.ECONNREFUSED, errno.ENOENT):
                return
            raise
        try:
            reply = stream.exchange({"command": "shutdown"}, timeout)
            stream.wait_for_end(timeout)
        except (EOFError, ConnectionError):
            return      # it is gone
        finally:
            stream.close()
            self.close()
        if reply["errno"]:
            raise Error(from_netbsd(reply["errno"]), to_text(reply["error"]))

    def close(self) -> None:
        with self._lock:
            for stream in self._idle:
                if self._pid == os.getpid():
                    stream.close()
            self._idle = []
