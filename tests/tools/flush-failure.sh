#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A disk that accepts every write and then cannot store it: a file on an ext4 whose disk is an image on a full tmpfs.
# The kernel reports that once; dmuse reports it to every client that flushes, then and ever after.
if [ -z "$FLUSH_FAILURE_INSIDE" ]; then
	# A mount namespace of its own, so that all mounts (and the loop device) are gone with it.
	if [ "$(id -u)" -ne 0 ] || [ ! -e /dev/loop-control ] || ! unshare -m true 2>/dev/null; then
		echo "ok 1 - a failing disk # SKIP only root with loop devices can make one"
		echo "1..1"
		exit 0
	fi
	FLUSH_FAILURE_INSIDE=1 exec unshare -m --propagation private "$0"
fi
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
PATH=$PATH:/usr/sbin:/sbin
uri() { echo "nbd+unix:///$1?socket=$XDG_RUNTIME_DIR/dmuse/nbd"; }

# shell NAME: runs the Python code on stdin in nbdsh, connected to export NAME.
shell() {
	nbdsh -u "$(uri "$1")" -c "$(cat)" 2>&1
}

unmount() {
	cd /
	umount -l "$work/ext4" "$work/small" 2>/dev/null
	tap_end
}
trap unmount EXIT
exec 8</dev/loop-control
flock 8			# only one test at a time uses loop devices (tests/support/place.c)
mkdir small ext4
mount -t tmpfs -o size=16M none small
truncate -s 64M small/image
mkfs.ext4 -q -m 0 -E lazy_itable_init=1,nodiscard -O ^has_journal small/image
# A loop device that a previous user has marked read-only stays so. Detached now, it is gone with the mount.
loop=$(losetup --find --show small/image) && blockdev --setrw "$loop" && mount "$loop" ext4
mounted=$?
[ -z "$loop" ] || losetup --detach "$loop"
if [ "$mounted" -ne 0 ]; then
	skip "a failing disk" "no loop device can be mounted here"
	plan
	exit
fi
truncate -s 48M ext4/disk.img

works "a daemon" daemon
works "a disk of the file" create disk --table "0 98304 linear $work/ext4/disk.img 0"
works "another on the same file" create other --table "0 8192 linear $work/ext4/disk.img 90112"

# More than the tmpfs can store. Every write goes to the page cache and succeeds; the flush cannot.
got=$(shell disk <<'END'
for i in range(40):
    h.pwrite(bytes([i + 1]) * 1048576, i * 1048576)
for i in range(3):
    try:
        h.flush()
        print("flushed")
    except nbd.Error as e:
        print(e.errno)
print(h.pread(512, 5 * 1048576)[0])
END
)
like "the flush fails, and so does every later one; reads go on" '^(EIO EIO EIO|ENOSPC ENOSPC ENOSPC) 6$' "$(paste -sd' ' <<<"$got")"
why=${got%%$'\n'*}		# which of the two depends on the kernel
again='
try:
    h.flush()
    print("flushed")
except nbd.Error as e:
    print(e.errno)
'
is "a client that comes later is told too" "$why" "$(shell disk <<<"$again")"
is "and one of another device on the same file" "$why" "$(shell other <<<"$again")"
fua='
try:
    h.pwrite(bytes(512), 0, nbd.CMD_FLAG_FUA)
    print("written")
except nbd.Error as e:
    print(e.errno)
'
got=$(shell disk <<<"$fua")
like "a durable write fails, or is durable by itself" '^(EIO|ENOSPC|written)$' "$got"
if { true <>/dev/fuse; } 2>/dev/null; then
	mkdir m
	works "devices as files" mount m
	is "fsync of the file fails, every time" "EIO EIO" "$(timeout 60 python3 - m/disk <<'END'
import errno, os, sys
f, said = os.open(sys.argv[1], os.O_RDWR), []
for i in range(2):
    try:
        os.fsync(f)
        said.append("flushed")
    except OSError as e:
        said.append(errno.errorcode[e.errno])
print(*said)
END
)"
	works "and that was that" umount m
else
	skip "fsync of a file" "/dev/fuse does not open here"
fi
run info disk
like "the daemon stays up, and tells what failed" "^0:.*disk: flush .*disk.img\) failed: " "$status:$err"
run suspend disk
like "a suspend that cannot flush says so" '^1:.*(flush|I/O|Input/output)' "$status:$err"
daemon=$("$DMUSE" version | sed -n 's/^Daemon: *running, pid //p')
kill -9 "$daemon"
ok "the daemon is killed, and started again" sh -c '"$1" ls >/dev/null 2>&1' - "$DMUSE"
ok "by its keeper" grep -q "(pid $daemon) was killed by signal 9 .*; it was started again" "$XDG_RUNTIME_DIR/dmuse/log"
is "and a flush fails still, with the error that it had" "$why" "$(shell disk <<<"$again")"
is "of the other device, too" "$why" "$(shell other <<<"$again")"
run remove other
works "another table" load disk --table '0 8 zero'
run suspend disk --noflush
works "takes the place of the one that failed" resume disk
is "and its flush is its own" flushed "$(shell disk <<<"$again")"
works "once nobody uses the file, it is loaded anew" load disk --table "0 8 linear $work/ext4/disk.img 0"
works "and resumed" resume disk
is "then it has forgotten" flushed "$(shell disk <<<"$again")"
run remove_all --force
run shutdown
plan
