# SPDX-License-Identifier: BSD-2-Clause
"""The bars that must be reached: (row, which figure, how, limit). A miss is shown as a miss."""
import operator

PEERS = ("nbdkit", "qemu", "nbdfuse")
HOW = {">=": operator.ge, "<=": operator.le}

# 'value' is the figure itself; 'best' and a name are ratios to the better peer, or to that contestant.
BARS = [
    ("nbd.unix.tmpfs.1.randread-4k.1", "best", ">=", 2.0),
    ("nbd.unix.tmpfs.1.randread-4k.32", "best", ">=", 1.5),
    ("nbd.unix.tmpfs.1.randread-4k.32.cpu", "nbdkit", "<=", 0.5),
    ("nbd.unix.tmpfs.1.randwrite-4k.32", "best", ">=", 1.2),
    ("nbd.unix.tmpfs.1.read-128k.8", "best", ">=", 1.3),
    ("nbd.unix.tmpfs.1.read-128k.8", "zero", ">=", 0.9),
    ("nbd.unix.cache.1.flush-4k.1", "nbdkit", ">=", 1.0),
    ("nbd.unix.striped.1.randread-4k.32", "linear", ">=", 0.9),
    ("fuse.tmpfs.1.randread-4k.1", "qemu", ">=", 4.0),
    ("fuse.tmpfs.1.randread-4k.32", "qemu", ">=", 3.0),
    ("fuse.tmpfs.1.read-128k.8", "qemu", ">=", 2.0),
    ("core.lines.1.beyond", "value", "<=", 100),
    ("core.lines.1000000.beyond", "value", "<=", 130),
    ("core.lines.1000000.ratio", "value", "<=", 1.3),
    ("core.stack.10.ratio", "value", "<=", 2.0),
    ("core.snapshot.1.beyond", "value", "<=", 60),
    ("core.snapshot.2.beyond", "value", "<=", 60),
    ("core.threads.2.ratio", "value", ">=", 1.8),
    ("crypt.core.1.512.write.beyond", "value", ">=", 0.9),
    ("crypt.core.1.512.read.beyond", "value", ">=", 0.9),
    ("crypt.core.2.512.write.beyond", "value", ">=", 0.9),
    ("crypt.core.2.512.read.beyond", "value", ">=", 0.9),
    ("crypt.core.1.4096.write.beyond", "value", ">=", 0.9),
    ("crypt.core.1.4096.read.beyond", "value", ">=", 0.9),
    ("crypt.core.2.4096.write.beyond", "value", ">=", 0.9),
    ("crypt.core.2.4096.read.beyond", "value", ">=", 0.9),
    ("crypt.luks.randread-4k.32", "linear", ">=", 0.87),       # 0.9 beyond the 4 % that libgcrypt itself takes
    ("crypt.luks.randwrite-4k.32", "linear", ">=", 0.87),
    ("crypt.luks.randread-4k.32", "best", ">=", 1.5),
    ("crypt.luks.randwrite-4k.32", "best", ">=", 1.5),
    ("crypt.luks.read-128k.8", "best", ">=", 1.0),
    ("crypt.luks.write-128k.8", "best", ">=", 1.0),
    ("nbd.unix.snapshot.1.randread-4k.32", "best", ">=", 1.0),
    ("nbd.unix.snapshot.1.randwrite-4k.32", "best", ">=", 1.0),
    ("nbd.unix.snapshot.1.first-16k.32", "best", ">=", 1.0),
    ("nbd.unix.snapshot-P.1.randwrite-4k.32", "best", ">=", 1.0),
    ("nbd.unix.snapshot-P.1.first-16k.32", "best", ">=", 1.0),
    ("nbd.unix.mirror.1.randread-4k.32", "best", ">=", 1.0),
    ("nbd.unix.mirror.1.randwrite-4k.32", "best", ">=", 1.0),
    ("nbd.unix.mirror-disk.1.randwrite-4k.32", "best", ">=", 1.0),
    ("nbd.unix.raid.1.randread-4k.32", "best", ">=", 1.0),
    ("nbd.unix.raid.1.randwrite-4k.32", "best", ">=", 1.0),
    ("load.seconds", "value", "<=", 3),
    ("load.peak_mb", "value", "<=", 250),
    ("load.nbd_ratio", "value", "<=", 1.3),
    ("control.cycles_s", "value", ">=", 5000),
    ("control.device_bytes", "value", "<=", 4096),
    ("control.idle_cpu_percent", "value", "<=", 0.1),
    ("session.syscall_beyond_ns", "value", "<=", 20),   # the kernel's own look whether a filter knows the call
    ("session.open_beyond_us", "value", "<=", 10),
]


def best_peer(row):
    """The best peer in this row, or None."""
    peers = [p for p in row["ratios"] if p in PEERS]
    pick = max if row["better"] == "more" else min
    return pick(peers, key=lambda p: row["values"][p]["median"]) if peers else None


def against(row, what):
    """The contestant with which a bar compares, or None."""
    return best_peer(row) if what == "best" else what


def figure(row, what):
    """The figure for a bar, or None if it was not measured."""
    if what == "value":
        return row["values"].get("dmuse", {}).get("median")
    return row["ratios"].get(against(row, what))


def transport(row, what):
    """The same figure for a device of zeroes, which has only the cost of the transport: the best that is possible."""
    peer = against(row, what)
    if row["better"] == "more" and {peer, "zero"} <= row["values"].keys():
        return row["values"]["zero"]["median"] / row["values"][peer]["median"]
    return None


def judge(rows):
    """A dict for the report for each bar whose row was measured."""
    for id, what, how, limit in BARS:
        if id in rows:
            got = figure(rows[id], what)
            yield {"id": id, "what": what, "how": how, "limit": limit, "got": got,
                   "met": got is not None and HOW[how](got, limit), "transport": transport(rows[id], what)}
