# SPDX-License-Identifier: BSD-2-Clause
"""
Devices of the targets: each is compared with one line of the target linear on the same image, and a few with what peers have for
the same purpose.
"""
import os
import time

import servers
from measure import call

# Name -> what a row says, the share of the image that the line has, the line, messages. A line that writes to a LOG, or keeps in
# memory what is not flushed, begins anew before each measurement, or one row would find what another has left.
TABLES = {
    "striped": ("two stripes of 64 KiB", 1, "striped 2 128 {image} {start} {image} {half}", ()),
    "unstriped": ("one of two stripes of 64 KiB", 2, "unstriped 2 128 0 {image} {start}", ()),
    "switch": ("two paths, regions of 1 MiB", 2, "switch 2 2048 0 {image} {start} {image} {half}", ("set_region_mappings 0:1 3:1 4:1",)),
    "delay": ("a delay of 0 ms", 1, "delay {image} {start} 0", ()),
    "dust": ("bad blocks elsewhere", 1, "dust {image} {start} 4096", ("addbadblock 1", "addbadblock 2", "enable")),
    "flakey": ("always up", 1, "flakey {image} {start} 1 0", ()),
    "log-writes": ("a log on tmpfs", 1, "log-writes {image} {log}", ()),
    "verity": ("sha256, hash blocks in memory", 4, "verity {verity}", ()),
    "verity-cold": ("sha256, hash blocks not in memory at first", 4, "verity {verity}", ()),
    "crypt": ("aes-xts-plain64, sectors of 512 bytes", 1, f"crypt aes-xts-plain64 {bytes(range(64)).hex()} 0 {{image}} {{start}}", ()),
    "crypt-4096": ("aes-xts-plain64, sectors of 4096 bytes", 1,
                   f"crypt aes-xts-plain64 {bytes(range(64)).hex()} 0 {{image}} {{start}} 1 sector_size:4096", ()),
    "integrity": ("crc32c, no journal", 2, "integrity {integrity} 0 4 D 2 internal_hash:crc32c recalculate", ()),
    "integrity-journal": ("crc32c, a journal of 32 MiB", 2,
                          "integrity {integrity} 0 4 J 3 internal_hash:crc32c recalculate journal_sectors:65536", ()),
    "integrity-bitmap": ("crc32c, a bitmap", 2, "integrity {integrity} 0 4 B 2 internal_hash:crc32c recalculate", ()),
    "mirror": ("two legs, a log in memory", 2, "mirror core 2 1024 nosync 2 {image} {start} {image} {half}", ()),
    "raid": ("raid1, two legs, no metadata", 2, "raid raid1 2 0 nosync 2 - {image} - {log}", ()),
    "snapshot": ("chunks of 16 KiB, a transient store on tmpfs", 2, "snapshot {image} {log} N 32", ()),
    "snapshot-origin": ("with that snapshot", 2, "snapshot-origin {image}", ()),
    "snapshot-P": ("chunks of 16 KiB, a persistent store on tmpfs", 2, "snapshot {base} {log} P 32", ()),
    "snapshot-origin-8": ("with eight transient snapshots", 2, "snapshot-origin {base}", ()),
    "snapshot-merge": ("all is merged", 2, "snapshot-merge {base} {log} P 32", ()),
    "mirror-disk": ("two legs, a log on tmpfs", 2, "mirror disk 3 {log} 1024 nosync 2 {image} {start} {image} {half}", ()),
    "powercut": ("memory for all that is not flushed", 1, "powercut {image} {start} memory 4G", ()),
}
ANEW = ("log-writes", "powercut", "snapshot", "snapshot-P", "verity-cold")
# What peers have for the same purpose (servers.py). Those of what begins anew do so, too.
PEERS = {"snapshot": ("nbdkit_cow", "qemu_overlay"), "snapshot-P": ("nbdkit_cow", "qemu_overlay"), "mirror": ("qemu_quorum",),
         "mirror-disk": ("qemu_quorum",), "raid": ("qemu_quorum",)}
SNAPSHOTS = {"snapshot-origin-8": 8}    # so many lie on its base
LOG_SIZE = 16 << 30             # sparse: no measurement fills it


def title(name):
    return f"{name} on tmpfs ({TABLES[name][0]})"


def verity(place, share):
    """The words of a verity line on a copy of the first part of the image: other rows write to that."""
    data, tree = place.fast / "verity.img", place.fast / "verity-tree.img"
    if not tree.exists():
        call("dd", f"if={place.image('tmpfs')}", f"of={data}", "bs=1M", "iflag=skip_bytes,count_bytes", f"skip={servers.OFFSET}",
             f"count={place.size // share}", "status=none")
        call("truncate", "-s", str(place.size // share // 64 + (1 << 20)), str(tree))
        said = call("veritysetup", "format", "--no-superblock", str(data), str(tree))
        words = {line.split(":")[0]: line.split()[-1] for line in said.splitlines() if ":" in line}
        (place.fast / "verity.words").write_text(
            f"1 {data} {tree} 4096 4096 {place.size // share // 4096} 0 sha256 {words['Root hash']} {words['Salt']}")
    return (place.fast / "verity.words").read_text()


def integrity(place, name, share):
    """A file for an integrity device and its tags."""
    image = place.fast / f"{name}.img"
    image.write_bytes(b"")
    os.truncate(image, place.size // share + place.size // 64 + (64 << 20))
    return image


def size(place, name):
    return place.size // TABLES[name][1]


class Own:
    """The devices of a daemon."""

    def __init__(self, dmuse, place):
        self.dmuse, self.place = dmuse, place
        for name in TABLES:
            if "{base}" in TABLES[name][2]:
                self.make_base(name)
            self.make(name)

    def make_base(self, name):
        """A device of its own, so that its snapshots are not others', too."""
        sectors = size(self.place, name) // 512
        self.dmuse.create(f"{name}-base", f"0 {sectors} linear {self.place.image('tmpfs')} {servers.OFFSET // 512}")
        for n in range(SNAPSHOTS.get(name, 0)):
            self.dmuse.create(f"{name}-{n}", f"0 {sectors} snapshot /dev/mapper/{name}-base {self.empty(f'{name}-{n}')} N 32")

    def empty(self, name):
        """A sparse file on tmpfs."""
        log = self.place.fast / f"{name}.log"
        log.write_bytes(b"")
        os.truncate(log, LOG_SIZE)
        return log

    def make(self, name):
        _, share, line, messages = TABLES[name]
        start = servers.OFFSET // 512
        tree = verity(self.place, share) if "{verity}" in line else ""
        log = self.empty(name) if "{log}" in line else ""
        tagged = integrity(self.place, name, share) if "{integrity}" in line else ""
        words = line.format(verity=tree, integrity=tagged, image=self.place.image("tmpfs"), start=start, half=start + self.place.size // 1024,
                            log=log, base=f"/dev/mapper/{name}-base")
        self.dmuse.create(name, f"0 {self.place.size // 512 // share} {words}", *(("--readonly",) if tree else ()))
        for message in messages:
            self.dmuse.do("message", name, "0", *message.split())
        while tagged and self.dmuse.do("status", name).split()[-1] != self.dmuse.do("status", name).split()[-2]:
            time.sleep(0.1)         # its tags are recalculated

    def begin_anew(self, name):
        if name in ANEW:
            self.dmuse.do("remove", "--retry", name)
            self.make(name)
