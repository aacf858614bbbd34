# SPDX-License-Identifier: BSD-2-Clause
"""
A client of an NBD export that outlives the server: it connects again, and sends again what was not answered. It writes
blocks that say what they are, and knows what every block must contain.
"""
import socket
import struct
import threading

BLOCK = 4096
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
OPTION_GO, REPLY_ACK, REPLY_INFO = 7, 1, 3
SILENCE = 60            # seconds without an answer


class Wrong(Exception):
    """A block has another content than it must have."""


def exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def connect(path, name, told=None):
    """TOLD gets what the server says of the export, as (type, data)."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(SILENCE)
    try:
        s.connect(path)
        if exactly(s, 18)[:16] != b"NBDMAGICIHAVEOPT":
            raise Wrong("this is no NBD server")
        export = name.encode()
        s.sendall(struct.pack(">I8sIII", 3, b"IHAVEOPT", OPTION_GO, len(export) + 6, len(export)) + export + b"\0\0")
        while True:
            _, _, kind, length = struct.unpack(">QIII", exactly(s, 20))
            text = exactly(s, length)
            if kind == REPLY_ACK:
                return s
            if kind != REPLY_INFO:
                raise Wrong(f"export {name} is refused: {text.decode(errors='replace')}")
            if told is not None:
                told.append((int.from_bytes(text[:2], "big"), text[2:]))
    except BaseException:
        s.close()
        raise


class Disk:
    """One thread's client. Blocks have (writer, block, version)."""

    def __init__(self, path, name, blocks, rng, stop):
        self.path, self.name, self.rng, self.stop = path, name, rng, stop
        self.version = [0] * blocks     # of each block, answered
        self.flushed = [0] * blocks
        self.socket, self.again, self.writes, self.flushes, self.checked = None, 0, 0, 0, 0

    def content(self, block, version):
        """A block never written is zero."""
        if not version:
            return bytes(BLOCK)
        stamp = f"{self.name} block {block} version {version}\n".encode()
        return stamp * (BLOCK // len(stamp)) + stamp[:BLOCK % len(stamp)]

    def request(self, cookie, kind, block=0, data=b"", length=0):
        return struct.pack(">IHHQQI", 0x25609513, 0, kind, cookie, block * BLOCK, length or len(data)) + data

    def exchange(self, requests):
        """Sends all of {cookie: (kind, block, data)} until each is answered; the data that was read, by cookie."""
        left, got = dict(requests), {}
        while left:
            try:
                if not self.socket:
                    self.socket = connect(self.path, self.name)
                self.socket.sendall(b"".join(self.request(c, k, b, d, BLOCK if k == READ else 0)
                                             for c, (k, b, d) in left.items()))
                while left:
                    self.answer(left, got)
            except (ConnectionError, FileNotFoundError):
                self.close()
                self.again += 1
                if self.stop.wait(0.002):
                    break
        return got

    def answer(self, left, got):
        magic, error, cookie = struct.unpack(">IIQ", exactly(self.socket, 16))
        if magic != 0x67446698:
            raise Wrong(f"{self.name}: the answer begins with {magic:#x}")
        kind, block, _ = left[cookie]
        if error:
            raise Wrong(f"{self.name}: request {kind} of block {block} failed with error {error}")
        got[cookie] = exactly(self.socket, BLOCK) if kind == READ else b""
        del left[cookie]

    def write_some(self, n):
        blocks = self.rng.sample(range(len(self.version)), n)
        done = self.exchange({b: (WRITE, b, self.content(b, self.version[b] + 1)) for b in blocks})
        for b in done:
            self.version[b] += 1
        self.writes += len(done)

    def flush(self):
        before = list(self.version)
        if self.exchange({1 << 40: (FLUSH, 0, b"")}):
            self.flushed = before
            self.flushes += 1

    def check(self, blocks):
        """Nothing that was answered may be missing: only a power cut loses what was not flushed."""
        for b, data in self.exchange({b: (READ, b, b"") for b in blocks}).items():
            self.checked += 1
            if data == self.content(b, self.version[b]):
                continue
            was = "flushed" if self.flushed[b] == self.version[b] else "answered"
            raise Wrong(f"{self.name}: block {b} must have the {was} version {self.version[b]}, and begins with {data[:60]!r}")

    def run(self, batch=8):
        while not self.stop.is_set():
            self.write_some(batch)
            if self.rng.random() < 0.2:
                self.flush()
            self.check(self.rng.sample(range(len(self.version)), batch))
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None


class Load:
    """A thread for each disk; the first failure is kept."""

    def __init__(self, disks):
        self.disks, self.failure = disks, None
        self.threads = [threading.Thread(target=self.run, args=(d,), daemon=True) for d in disks]

    def start(self):
        for t in self.threads:
            t.start()

    def run(self, disk):
        try:
            disk.run()
        except Exception as e:          # also a silent server
            self.failure = self.failure or f"{disk.name}: {type(e).__name__}: {e}"

    def join(self):
        for t in self.threads:
            t.join(90)
            if t.is_alive():
                self.failure = self.failure or "a client of NBD hangs"
