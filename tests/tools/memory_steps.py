# SPDX-License-Identifier: BSD-2-Clause
"""What memory.py does while there is no memory: requests to a daemon, traffic, command lines. $DIR is a directory."""
import os

TABLE = "0 64 linear $DIR/disk.img 0\n64 64 striped 2 8 $DIR/disk.img 1000 memory,size=1M:m 0\n128 8 zero\n136 8 error"

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
A, B, C = (f"memory,size=1M:{n}" for n in ("na", "nb", "nc"))

# One line of every target that has not its place in TABLE. None of them changes by itself.
LINES = {
    "crypt": f"aes-xts-plain64 {KEY} 0 {A} 0 1 allow_discards", "delay": f"{A} 0 0 {B} 0 0 {C} 0 1", "dust": f"{A} 0 4096",
    "flakey": f"{A} 0 1 0 1 error_writes", "integrity": f"{A} 0 4 J 2 internal_hash:crc32c journal_sectors:352", "log-writes": f"{A} {B}",
    "mirror": f"core 2 16 nosync 2 {A} 0 {B} 0", "powercut": f"{A} 0 seed 1 memory 2048", "raid": f"raid1 2 0 nosync 2 - {A} - {B}",
    "snapshot": f"{A} {B} P 8", "snapshot-origin": A, "snapshot-merge": f"{A} {B} P 8", "switch": f"3 7 0 {A} 0 {B} 0 {C} 0",
    "unstriped": f"2 8 1 {A} 0", "verity": f"1 {A} {B} 512 512 64 0 sha256 {'0' * 64} 0123456789abcdef",
}

# More of those that have many parts.
MORE = {
    "crypt with essiv": f"crypt aes-cbc-essiv:sha256 {KEY} 0 {A} 0 1 sector_size:4096", "crypt with lmk": f"crypt aes:2-cbc-lmk {KEY} 0 {A} 0",
    "crypt with tcw": f"crypt aes-cbc-tcw {KEY}{KEY} 0 {A} 0", "crypt with diffusers": f"crypt aes-cbc-elephant {KEY} 0 {A} 0",
    "crypt with tags": f"crypt capi:authenc(hmac(sha256),xts(aes))-plain64 {KEY}{KEY} 0 tags 0 1 integrity:32:aead",
    "crypt with a CMAC": f"crypt capi:authenc(cmac(aes),xts(aes))-plain64 {KEY}{KEY[:32]} 0 tags 0 1 integrity:16:aead",
    "crypt with the library's tags": f"crypt capi:gcm(aes)-random {KEY} 0 tags 0 1 integrity:28:aead",
    "integrity with a bitmap": f"integrity {A} 0 - B 3 internal_hash:crc32c journal_sectors:352 interleave_sectors:64",
    "integrity with a sealed journal": f"integrity {A} 0 - J 6 internal_hash:sha256 journal_crypt:cbc(aes):{KEY} journal_mac:hmac(sha256):{KEY} fix_hmac "
                                       "journal_sectors:352 interleave_sectors:64",
    "integrity with other metadata": f"integrity {A} 0 - D 2 internal_hash:hmac(sha256):{KEY} meta_device:{B}",
    "verity with parity": f"verity 1 {A} {B} 512 512 64 0 sha256 {'0' * 64} - 8 use_fec_from_device {C} fec_blocks 80 fec_start 0 fec_roots 2",
}

# Before each attempt: devices of all kinds.
SETUP = [
    ("create", {"name": "base", "table": "0 2048 linear memory,size=1M:b 0"}),
    ("create", {"name": "vd", "uuid": "U-1", "table": TABLE}),
    ("reload", {"name": "vd", "table": "0 128 linear base 0\n128 16 zero"}),
    ("message", {"name": "vd", "message": "@stats_create - 64 p a"}),
    ("create", {"name": "empty"}),
    ("disk", {"name": "pv0", "file": "$DIR/disk.img"}),
    ("create", {"name": "on", "table": "0 64 powercut memory,size=1M:on 0 seed 1"}),
    ("create", {"name": "off", "table": "0 64 powercut memory,size=1M:off 0 seed 1"}),
    ("cut", {"names": ["off"]}),
]

# And those that have something in memory which no later daemon has.
SETUP_OF_ONE_LIFE = [
    ("create", {"name": "tags", "table": "0 64 integrity memory,size=1M:tags 0 32 J 2 journal_sectors:352 interleave_sectors:64"}),
    ("create", {"name": "bits", "table": "0 64 integrity memory,size=1M:bits 0 - B 3 internal_hash:crc32c journal_sectors:352 "
                                         "interleave_sectors:64"}),
    ("create", {"name": "direct", "table": "0 64 integrity memory,size=1M:direct 0 - D 2 internal_hash:crc32c journal_sectors:352"}),
    ("create", {"name": "keyed", "table": f"0 64 crypt aes-xts-plain64 {KEY} 0 memory,size=1M:keyed 0"}),
    ("suspend", {"name": "keyed"}),
]

# (name, command, its keys). With a + the client connects when memory is short already. With a ~ libblkid is used: it
# does not distinguish whether it found no label or had no memory for one, so there may be no warning.
REQUESTS = [
    ("version", "version", {}), ("version+", "version", {}), ("create+", "create", {"name": "new", "table": TABLE}),
    ("create", "create", {"name": "new", "uuid": "U-2", "table": TABLE}),
    ("create of records", "create", {"name": "new", "cmd_data": [
        {"start": 0, "length": 8, "type": "linear", "params": "base 8"}, {"start": 8, "length": 8, "type": "zero", "params": ""}]}),
    ("create without a table", "create", {"name": "new"}),
    ("~create with warnings", "create", {"name": "new", "table": "0 8 linear $DIR/label.img 0"}),
    ("create that fails", "create", {"name": "new", "table": "0 8 linear $DIR/none 0"}),
    ("reload", "reload", {"name": "vd", "table": TABLE}), ("reload of empty", "reload", {"name": "empty", "table": TABLE}),
    ("clear", "clear", {"name": "vd"}), ("resume", "resume", {"name": "vd"}), ("suspend", "suspend", {"name": "vd"}),
    ("suspend, nothing flushed", "suspend", {"name": "vd", "flags": 1 << 11}),
    ("info", "info", {"name": "vd"}), ("mknodes", "mknodes", {"name": "vd"}), ("names", "names", {}),
    ("status", "status", {"name": "vd"}), ("table", "table", {"name": "vd"}), ("table as text", "table", {"name": "vd", "text": True}),
    ("deps", "deps", {"name": "vd", "flags": 1 << 12}), ("remove", "remove", {"name": "vd"}),
    ("remove with force", "remove", {"name": "base", "force": True}),
    ("remove_all", "remove_all", {}), ("rename", "rename", {"name": "vd", "cmd_data": ["other"]}),
    ("set_uuid", "set_uuid", {"name": "empty", "cmd_data": ["U-3"]}),
    ("message @stats_create", "message", {"name": "vd", "message": "@stats_create 0+64 /4 precise_timestamps p2 aux"}),
    ("message @stats_create with histogram", "message", {"name": "vd", "message": "@stats_create - /2 1 histogram:1,2,3 p2 aux"}),
    ("message @stats_list", "message", {"name": "vd", "message": "@stats_list"}),
    ("message @stats_print", "message", {"name": "vd", "message": "@stats_print 0"}),
    ("message @stats_print_clear", "message", {"name": "vd", "message": "@stats_print_clear 0"}),
    ("message @stats_clear", "message", {"name": "vd", "message": "@stats_clear 0"}),
    ("message @stats_set_aux", "message", {"name": "vd", "message": "@stats_set_aux 0 text"}),
    ("message @stats_delete", "message", {"name": "vd", "message": "@stats_delete 0"}),
    ("wait", "wait", {"name": "vd", "event_nr": 77}),
    ("stats", "stats", {"name": "vd"}), ("stats, reset", "stats", {"name": "vd", "reset": True}),
    ("check", "check", {"table": TABLE}), ("check with uses", "check", {"table": TABLE, "text": True, "details": True}),
    ("export", "export", {"name": "vd"}), ("targets", "targets", {}), ("stores", "stores", {}),
    ("mount", "mount", {"directory": "$DIR/mnt"}), ("mounts", "mount", {}), ("umount of nothing", "umount", {"directory": "$DIR"}),
    ("disk", "disk", {"name": "pv1", "file": "$DIR/disk.img"}), ("disk once more", "disk", {"name": "pv0", "file": "$DIR/disk.img"}),
    ("undisk", "undisk", {"name": "pv0"}), ("disks", "disks", {}),
    ("measure", "measure", {"name": "vd"}), ("setgeometry", "setgeometry", {"name": "vd", "geometry": [1, 2, 3, 0]}),
    ("cut", "cut", {"names": ["on"], "message": "all"}), ("restore", "restore", {"names": ["off"]}),
    ("suspend of several", "suspend", {"names": ["base", "vd"]}), ("resume of several", "resume", {"names": ["base", "vd"]}),
    ("reload of several", "reload", {"names": ["base", "vd"], "tables": ["0 2048 zero", TABLE]}),
    ("message key wipe", "message", {"name": "keyed", "message": "key wipe"}),
    ("message key set", "message", {"name": "keyed", "message": f"key set {KEY}"}), ("resume of a key", "resume", {"name": "keyed"}),
    ("suspend of a journal", "suspend", {"name": "tags"}), ("remove of a journal", "remove", {"name": "tags"}),
    ("suspend of a bitmap", "suspend", {"name": "bits"}), ("remove of a bitmap", "remove", {"name": "bits"}),
    ("suspend of tags alone", "suspend", {"name": "direct"}), ("remove of tags alone", "remove", {"name": "direct"}),
    ("nonsense", "nonsense", {}), ("what the client sent comes back", "info", {"name": "vd", "mine": {"a": [1, b"x", True, "s"]}}),
]
REQUESTS += [(f"create of {t}", "create", {"name": "new", "table": f"0 64 {t} {words}", "flags": int(t == "verity")}) for t, words in LINES.items()]
REQUESTS += [(f"create of {t}", "create", {"name": "new", "table": f"0 64 {line}", "flags": int(t[:6] == "verity")}) for t, line in MORE.items()]


def nbd_traffic(directory):
    """A client from handshake to disconnect."""
    import nbd
    h = nbd.NBD()
    h.connect_uri(f"nbd+unix:///base?socket={directory}/nbd")
    h.pwrite(b"x" * 4096, 8192)
    h.flush()
    wrong = h.pread(8192, 4096) != bytes(4096) + b"x" * 4096
    h.trim(4096, 8192)
    wrong = wrong or h.pread(4096, 8192) != bytes(4096)
    h.shutdown()
    return "the data is wrong" if wrong else None


def file_traffic(directory):
    """A device as a file, from open to close."""
    fd = os.open(os.path.join(directory, "mnt", "base"), os.O_RDWR)
    try:
        os.pwrite(fd, b"y" * 4096, 8192)
        os.fsync(fd)
        wrong = os.pread(fd, 4096, 8192) != b"y" * 4096
        os.listdir(os.path.join(directory, "mnt"))
        return "the data is wrong" if wrong else None
    finally:
        os.close(fd)


TRAFFIC = [("NBD", nbd_traffic), ("files of a mount", file_traffic)]

# Words are separated by blanks, _ is a blank in a table. With a - in front there is no daemon; with a + the command
# takes several steps, and those before the one that fails stay done.
COMMANDS = [
    "create new --table 0_8_linear_$DIR/disk.img_0", "create new --table 0_8_zero --json", "create new $DIR/table",
    "+create --concise new,,,rw,0_8_zero;newer,,,rw,0_8_zero", "load vd --table 0_8_zero", "clear vd", "+wipe_table vd",
    "check --table 0_8_zero", "check --table 0_8_zero --json", "-check --table 0_8_zero", "remove vd", "+remove vd empty",
    "remove_all", "suspend vd", "resume vd", "rename vd other", "rename empty --setuuid U-9", "message vd 0 @stats_list",
    "message vd 0 @stats_create_-_8", "wait vd 77", "mknodes vd", "ls", "ls --json", "ls --tree", "ls -o devname", "info", "info vd",
    "info --json", "info -c", "info -c -o name,uuid --sort name", "status", "table", "table --json", "table --concise", "deps",
    "deps --json", "stats vd", "stats vd --json", "stats vd --reset", "export vd", "export vd --json", "mount", "mount $DIR/mnt",
    "umount $DIR/mnt", "targets", "targets --json", "stores", "version", "version --json", "-ls", "-version", "-targets -v", "help",
    "help create", "nonsense", "measure vd", "setgeometry vd 1 2 3 0", "cut on", "restore off", "mark half-way on", "target-version linear",
    "-splitname vg-lv", "mangle vd", "stats list", "stats report", "partitions $DIR/label.img", "+partitions -a $DIR/label.img",
    "+kpartx -d $DIR/label.img", "replay --log $DIR/log.img", "suspend base vd", "resume base vd", "wait vd 77 --json",
    "-doctor", "-doctor --json",
]
