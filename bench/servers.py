# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are compared: dmuse, nbdkit and qemu-storage-daemon on the same bytes of the same image files."""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from measure import Absent, Failed, call

OFFSET = 1 << 20                # where the disk begins in its image
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """The CPU time of a process, including all threads that it ever had."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def status_kb(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise Failed(f"process {pid} is gone")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def image(path, size):
    """Random bytes, so that no server can take a short cut."""
    block = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for n in range((size + OFFSET) >> 20):
            f.write(n.to_bytes(8, "big") + block[8:])
    return str(path)


started = {}                    # what was started, and how: part of the results


class Server:
    """A process; READY tells when it can be used."""

    def __init__(self, name, command, ready):
        if not shutil.which(command[0]):
            raise Absent(f"there is no {command[0]}")
        self.name = name
        started.setdefault(name, " ".join(command))
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        deadline = time.monotonic() + 20
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                self.stop()
                raise Failed(f"{name} did not start: {' '.join(self.log.read().split())}")
            time.sleep(0.01)

    def cpu(self):
        return cpu_seconds(self.pid)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Again:
    """A server that MAKE starts, and that can be started anew at the same address."""

    def __init__(self, make):
        self.make, self.server = make, make()
        self.uri = self.server.uri

    def cpu(self):
        return self.server.cpu()

    def stop(self):
        self.server.stop()

    def begin_anew(self):
        self.stop()
        self.server = self.make()


def listens(address):
    """A function that says whether somebody does."""
    def ready():
        with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as s:
            return s.connect_ex(address) == 0
    return ready


class Dmuse(Server):
    """A daemon in DIRECTORY with NBD on a Unix socket and on loopback TCP."""

    def __init__(self, program, directory, *options):
        os.makedirs(directory, exist_ok=True)
        self.program, self.control, self.port = program, f"{directory}/control", free_port()
        super().__init__("dmuse", [program, "--socket", self.control, "daemon", "--foreground", "--nbd-tcp",
                                   f"127.0.0.1:{self.port}", *options], listens(self.control))
        self.pid = self.daemon()    # the process that was started is its keeper

    def daemon(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control)
            return struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def do(self, *words, **kw):
        return call(self.program, "--socket", self.control, "--no-start", *words, **kw)

    def create(self, name, table, *options):
        started.setdefault(f"dmuse {name}", table)
        self.do("create", name, *options, "--table", table)

    def session(self):
        """
        The command prefix for running something in a session. Raises Absent, with dmuse's own message, if there are
        none.
        """
        around = (self.program, "--socket", self.control, "exec", "--")
        try:
            call(*around, "true")
        except Failed as e:
            raise Absent(str(e)) from None
        return around

    def uri(self, name, transport):
        uris = self.do("export", "--all", name).split()
        return next(u for u in uris if ("://127." in u) == (transport == "tcp"))


def nbd_address(directory, name, transport):
    """(what to connect to, its URI without the export's name) for a server with one address."""
    if transport == "tcp":
        port = free_port()
        return ("127.0.0.1", port), f"nbd://127.0.0.1:{port}/"
    path = f"{directory}/{name}.sock"
    pathlib.Path(path).unlink(missing_ok=True)
    return path, "nbd+unix:///{}?socket=" + path


def nbdkit(directory, name, path, size, transport):
    address, uri = nbd_address(directory, f"nbdkit-{name}", transport)
    where = ["-U", address] if transport == "unix" else ["-i", address[0], "-p", str(address[1])]
    server = Server("nbdkit", ["nbdkit", "-f", *where, "--filter=offset", "file", path, f"offset={OFFSET}",
                               f"range={size}"], listens(address))
    server.uri = uri.format("")
    return server


def qemu_disk(path, size, direct=False):
    """The options of qemu-storage-daemon that make node 'disk' of an image."""
    cache = "on" if direct else "off"
    return ["--blockdev", f"driver=file,node-name=file,filename={path},aio=io_uring,cache.direct={cache}",
            "--blockdev", f"driver=raw,node-name=disk,file=file,offset={OFFSET},size={size}"]


def qemu(directory, name, path, size, transport, direct=False):
    address, uri = nbd_address(directory, f"qemu-{name}", transport)
    where = (f"addr.type=unix,addr.path={address}" if transport == "unix" else
             f"addr.type=inet,addr.host={address[0]},addr.port={address[1]}")
    server = Server("qemu", ["qemu-storage-daemon", *qemu_disk(path, size, direct), "--nbd-server", where,
                             "--export", "type=nbd,id=export,node-name=disk,name=disk,writable=on"], listens(address))
    server.uri = uri.format("disk") if transport == "unix" else uri + "disk"
    return server


def nbdkit_cow(place, name, size):
    """Its filter cow on the image: what is written goes to a file on tmpfs."""
    if not shutil.which("nbdkit"):
        raise Absent("there is no nbdkit")
    address, uri = nbd_address(place.directory, name, "unix")
    server = Server("nbdkit cow", ["env", f"TMPDIR={place.fast}", "nbdkit", "-f", "-U", address, "--filter=cow", "--filter=offset", "file",
                                   place.image("tmpfs"), f"offset={OFFSET}", f"range={size}"], listens(address))
    server.uri = uri.format("")
    return server


def qemu_top(place, name, nodes, top):
    """qemu-storage-daemon with NODES, of which the one called top, with the options TOP, is exported."""
    address, uri = nbd_address(place.directory, name, "unix")
    server = Server(f"qemu {name}", ["qemu-storage-daemon", *nodes, "--blockdev", top, "--nbd-server", f"addr.type=unix,addr.path={address}",
                                     "--export", "type=nbd,id=export,node-name=top,name=disk,writable=on"], listens(address))
    server.uri = uri.format("disk")
    return server


def qemu_overlay(place, name, size):
    """An internal overlay: qcow2 on tmpfs, backed by the image."""
    file = place.fast / f"{name}.qcow2"
    call("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=16k", str(file), str(size))
    nodes = [*qemu_disk(place.image("tmpfs"), size), "--blockdev", f"driver=file,node-name=over,filename={file},aio=io_uring"]
    return qemu_top(place, name, nodes, "driver=qcow2,node-name=top,file=over,backing=disk")


def qemu_quorum(place, name, size):
    """Two halves of the image that have the same."""
    image = place.image("tmpfs")
    nodes = []
    for n in (0, 1):
        nodes += ["--blockdev", f"driver=file,node-name=file{n},filename={image},aio=io_uring,locking=off",
                  "--blockdev", f"driver=raw,node-name=leg{n},file=file{n},offset={OFFSET + n * size},size={size}"]
    return qemu_top(place, name, nodes, "driver=quorum,node-name=top,vote-threshold=1,read-pattern=fifo,children.0=leg0,children.1=leg1")
