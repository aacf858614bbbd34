# SPDX-License-Identifier: BSD-2-Clause
"""
A client of the control socket that outlives the daemon: each command has an identity, and one whose answer was lost is
sent again with the same identity.
"""
import plistlib
import socket
import threading
import time
import uuid

SILENCE = 60            # seconds without an answer


class Lost(Exception):
    """The daemon has gone before it answered."""


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SILENCE)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rwb")

    def send(self, *messages):
        self.stream.write(b"".join(len(m).to_bytes(4, "big") + m for m in messages))
        self.stream.flush()

    def receive(self):
        length = self.stream.read(4)
        message = self.stream.read(int.from_bytes(length, "big")) if len(length) == 4 else b""
        if not message or len(message) < int.from_bytes(length, "big"):
            raise Lost
        return plistlib.loads(message)

    def close(self):
        for thing in (self.stream, self.socket):
            try:
                thing.close()
            except OSError:
                pass


class Control:
    """For one thread."""

    def __init__(self, path, stop=None):
        self.path, self.stop, self.connection = path, stop or threading.Event(), None
        self.again = 0          # commands that were sent once more

    def connect(self):
        """Where nobody keeps the socket it is gone until there is a new daemon."""
        end = time.monotonic() + SILENCE
        while not self.connection:
            try:
                self.connection = Connection(self.path)
            except (FileNotFoundError, ConnectionError):
                if time.monotonic() > end or self.stop.wait(0.005):
                    raise

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def ask(self, command, identity=True, **keys):
        """Its answer, whichever daemon gives it; without IDENTITY perhaps Lost."""
        message = plistlib.dumps({"command": command, **({"id": str(uuid.uuid4())} if identity else {}), **keys})
        while True:
            try:
                self.connect()
                self.connection.send(message)
                return self.connection.receive()
            except (Lost, ConnectionError):
                self.close()
                if not identity:
                    raise Lost from None
                self.again += 1

    def ask_many(self, requests, ahead=32):
        """The answers to REQUESTS (dictionaries), which change nothing, AHEAD at a time."""
        got = []
        while len(got) < len(requests):
            some = requests[len(got):len(got) + ahead]
            try:
                self.connect()
                self.connection.send(*(plistlib.dumps(r) for r in some))
                got += [self.connection.receive() for _ in some]
            except (Lost, ConnectionError):
                self.close()
        return got
