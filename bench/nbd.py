# SPDX-License-Identifier: BSD-2-Clause
"""NBD: dmuse, nbdkit (file plugin, offset filter) and qemu-storage-daemon (raw driver with an offset, io_uring)."""
import contextlib

import fio
import own
import servers
from measure import Absent, Failed, call

NAMES = {"unix": "Unix socket", "tcp": "loopback TCP", "tmpfs": "tmpfs", "cache": "page cache", "direct": "O_DIRECT",
         **{name: own.title(name) for name in own.TABLES}}

# Transport, backing, connections, and jobs with their depths: those with bars, those also in a quick run, the rest.
KEY = [("unix", "tmpfs", 1, "randread-4k 1", "randread-4k 32", "randwrite-4k 32", "read-128k 8")]
SOME = [("unix", "tmpfs", 1, "flush-4k 1"), ("unix", "tmpfs", 8, "randread-4k 32"),
        ("unix", "striped", 1, "randread-4k 32", "read-128k 8"), ("unix", "delay", 1, "randread-4k 32"),
        ("unix", "dust", 1, "randread-4k 32"), ("unix", "flakey", 1, "randread-4k 32"),
        ("unix", "log-writes", 1, "randwrite-4k 1", "randwrite-4k 64", "flush-4k 1"),
        ("unix", "verity", 1, "randread-4k 1", "randread-4k 32", "read-128k 8"), ("unix", "verity-cold", 1, "read-128k 8"),
        ("unix", "crypt", 1, "randread-4k 32", "read-128k 8"), ("unix", "crypt-4096", 1, "randread-4k 32", "read-128k 8"),
        ("unix", "integrity", 1, "randread-4k 32", "randwrite-4k 32", "read-128k 8"),
        ("unix", "integrity-journal", 1, "randread-4k 32", "randwrite-4k 32"),
        ("unix", "integrity-bitmap", 1, "randwrite-4k 32"),
        ("unix", "mirror", 1, "randread-4k 32", "randwrite-4k 32"),
        ("unix", "raid", 1, "randread-4k 32", "randwrite-4k 32"),
        ("unix", "mirror-disk", 1, "randwrite-4k 1", "randwrite-4k 32"),
        ("unix", "snapshot", 1, "randread-4k 32", "randwrite-4k 32", "first-16k 32"),
        ("unix", "snapshot-P", 1, "randwrite-4k 32", "first-16k 1", "first-16k 32"),
        ("unix", "snapshot-origin", 1, "randread-4k 32", "randwrite-4k 32"), ("unix", "snapshot-origin-8", 1, "randwrite-4k 32"),
        ("unix", "snapshot-merge", 1, "randread-4k 32", "randwrite-4k 32"),
        ("unix", "powercut", 1, "randread-4k 32", "randwrite-4k 1", "randwrite-4k 64", "flush-4k 1"),
        ("unix", "cache", 1, "flush-4k 1"), ("tcp", "tmpfs", 1, "randread-4k 32")]
REST = [("unix", "tmpfs", 1, "randwrite-4k 1", "write-128k 8", "read-1m 8", "write-1m 8"),
        ("unix", "tmpfs", 2, "randread-4k 1", "randread-4k 32"),
        ("unix", "tmpfs", 8, "randread-4k 1", "randwrite-4k 32"),
        ("tcp", "tmpfs", 1, "randread-4k 1", "randwrite-4k 32", "read-128k 8"),
        ("tcp", "tmpfs", 8, "randread-4k 32"),
        ("unix", "unstriped", 1, "randread-4k 32"), ("unix", "switch", 1, "randread-4k 32"),
        ("unix", "cache", 1, "randread-4k 1", "randread-4k 32", "randwrite-4k 32", "read-128k 8"),
        ("unix", "direct", 1, "randread-4k 1", "randread-4k 32", "randwrite-4k 32", "read-128k 8")]
TINY = [("unix", "tmpfs", 1, "randread-4k 32"), ("unix", "log-writes", 1, "flush-4k 1")]


def wanted(plan):
    """(transport, backing, connections, job, depth, is it a key row)"""
    parts = plan.pick([KEY, SOME, REST], [KEY, SOME], [TINY])
    for part in parts:
        for transport, backing, connections, *jobs in part:
            for job in jobs:
                word, depth = job.split()
                yield transport, backing, connections, word, int(depth), part is KEY


def same_bytes(place, backing, uri):
    """Otherwise the figures mean nothing."""
    call("sh", "-c", 'nbdcopy "$1" - | cmp --bytes="$2" --ignore-initial=0:"$3" - "$4"', "sh", uri, str(place.size),
         str(servers.OFFSET), place.images[backing])


class Servers:
    """Starts what a row needs when it is first requested; an address is 'why not' if it is not available."""

    def __init__(self, dmuse, place, stack):
        self.dmuse, self.place, self.stack, self.started = dmuse, place, stack, {}

    def start(self, kind, transport, backing):
        key = kind, transport, backing
        if key not in self.started:
            make = servers.nbdkit if kind == "nbdkit" else servers.qemu
            extra = {"direct": True} if backing == "direct" else {}
            self.started[key] = make(str(self.place.directory), "-".join(key[1:]), self.place.images[backing],
                                     self.place.size, transport, **extra)
            self.stack.callback(self.started[key].stop)
            same_bytes(self.place, backing, self.started[key].uri)
        return self.started[key]

    def contestants(self, transport, backing, key):
        if backing in own.TABLES:
            got = {c: ([self.engine, "--uri=" + self.dmuse.uri(name, transport)], self.dmuse.cpu, ())
                   for c, name in (("dmuse", backing), ("linear", "tmpfs"))}
            for kind in own.PEERS.get(backing, ()):
                self.add(got, kind.split("_")[0], lambda kind=kind: self.start_own(kind, backing), f"on {NAMES[backing]}")
            return got
        got = {"dmuse": ([self.engine, "--uri=" + self.dmuse.uri(backing, transport)], self.dmuse.cpu, ())}
        if key:
            got["zero"] = [self.engine, "--uri=" + self.dmuse.uri("zero", transport)], self.dmuse.cpu, ()
        for kind in ("nbdkit", "qemu"):
            if kind == "nbdkit" and backing == "direct":
                continue        # its file plugin has no O_DIRECT
            self.add(got, kind, lambda kind=kind: self.start(kind, transport, backing), f"over {NAMES[transport]} on {NAMES[backing]}")
        return got

    def add(self, got, kind, start, where):
        try:
            server = start()
            got[kind] = [self.engine, "--uri=" + server.uri], server.cpu, ()
        except (Absent, Failed) as e:
            self.place.notes.append(f"{kind} is left out {where}: {e}")

    def start_own(self, kind, backing):
        """What a peer has instead of one of our targets."""
        if kind not in self.started:
            self.started[kind] = servers.Again(lambda: getattr(servers, kind)(self.place, kind, own.size(self.place, backing)))
            self.stack.callback(self.started[kind].stop)
        return self.started[kind]

    def begin_anew(self, contestant, backing):
        """A peer that copies has copied nothing, as ours."""
        for kind in own.PEERS.get(backing, ()) if backing in own.ANEW else ():
            if kind.split("_")[0] == contestant and kind in self.started:
                self.started[kind].begin_anew()

    engine = "--ioengine=nbd"


@contextlib.contextmanager
def tasks(plan, place):
    with contextlib.ExitStack() as stack:
        dmuse = servers.Dmuse(place.dmuse, f"{place.directory}/nbd")
        stack.callback(dmuse.stop)
        rows = list(wanted(plan))
        for backing in {"tmpfs", *(row[1] for row in rows)} - set(own.TABLES):
            word = ("file,direct:" if backing == "direct" else "") + place.image(backing)
            dmuse.create(backing, f"0 {place.size // 512} linear {word} {servers.OFFSET // 512}")
            same_bytes(place, backing, dmuse.uri(backing, "unix"))
        devices = own.Own(dmuse, place)
        dmuse.create("zero", f"0 {place.size // 512} zero")     # only the transport
        them = Servers(dmuse, place, stack)
        yield [task(them, devices, plan, place, *row) for row in rows]


def task(them, devices, plan, place, transport, backing, connections, job, depth, key):
    plural = "" if connections == 1 else "s"
    is_own = backing in own.TABLES
    size = own.size(place, backing) if is_own else place.size

    def before(contestant):
        devices.begin_anew(backing)
        them.begin_anew(contestant, backing)

    sized = {c: ([*t[0], f"--size={size}"], *t[1:]) for c, t in them.contestants(transport, backing, key).items()}
    return fio.task(f"nbd.{transport}.{backing}.{connections}.{job}.{depth}",
                    f"NBD, {NAMES[transport]}, {NAMES[backing]}, {connections} connection{plural}",
                    job, depth, connections, sized,
                    plan.key_rounds if key else plan.rounds, plan.key_seconds if key else plan.seconds,
                    place.images["tmpfs" if is_own else backing], before)
