#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Loop devices in sessions: losetup, and cryptsetup and veritysetup with files. An ordinary user has the session's own; root has
# the machine's, with the same results.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

quick='--pbkdf pbkdf2 --pbkdf-force-iterations 1000'

# in_session WHAT EXPECTED SCRIPT: it succeeds, and prints that.
in_session() {
	run exec -- bash -euc "$3"
	is "$who: $1" "0:$2:${4-}" "$status:$out:$err"
}

attach() {
	truncate -s 16M f.img
	in_session "losetup attaches a file" "16777216 0 0 0 0 $PWD/f.img
hello
gone" '
		loop=$(losetup -f --show f.img)
		echo "$(blockdev --getsize64 "$loop")" $(losetup -n -O OFFSET,SIZELIMIT,RO,AUTOCLEAR,BACK-FILE "$loop")
		echo hello | dd of="$loop" conv=notrunc,fsync status=none
		head -c 5 f.img; echo
		[ "$(cat /sys/block/${loop#/dev/}/loop/backing_file)" = "$PWD/f.img" ]
		[ "$(losetup -n -O NAME -j f.img)" = "$loop" ]
		losetup -d "$loop"
		[ -z "$(losetup -j f.img)" ] && echo gone'
	in_session "an offset, a limit, read-only" "1048576
1
1048576 1048576
EPERM
0" '
		printf part | dd of=f.img bs=1M seek=1 conv=notrunc status=none
		loop=$(losetup -f --show -r -o 1M --sizelimit 1M f.img)
		blockdev --getsize64 "$loop"
		blockdev --getro "$loop"
		echo $(losetup -n -O OFFSET,SIZELIMIT "$loop")
		[ "$(head -c 4 "$loop")" = part ]
		echo x 2>/dev/null >"$loop" || echo EPERM
		losetup -d "$loop"
		losetup -j f.img | wc -l'
	in_session "blocks of 4096 bytes; the file grows" "4096
16777216
33554432" '
		loop=$(losetup -f --show -b 4096 f.img)
		blockdev --getss "$loop"
		blockdev --getsize64 "$loop"
		truncate -s 32M f.img
		losetup -c "$loop"
		blockdev --getsize64 "$loop"
		losetup -d "$loop"'
	in_session "a device of the session in place of a file" "8388608
8388608" '
		dmsetup create below --table "0 16384 zero"
		loop=$(losetup -f --show /dev/mapper/below)
		blockdev --getsize64 "$loop"
		dmsetup create above --table "0 16384 linear $loop 0"
		blockdev --getsize64 /dev/mapper/above
		dmsetup remove above
		losetup -d "$loop"
		dmsetup remove below'
}

# The machine's have no nodes for partitions where there is no udev, and accept any file.
own() {
	[ "$who" = user ] || return
	in_session "partitions" "8388608" '
		truncate -s 16M parts.img
		echo "2048,16384" | sfdisk -q parts.img
		loop=$(losetup -f --show -P parts.img)
		blockdev --getsize64 "${loop}p1"
		losetup -d "$loop"'
	in_session "another file takes the place of one that is read; the status in its old form" "aaaa bbbb
EINVAL EINVAL
True 512" '
		for x in a b; do
			truncate -s 1M $x.img
			printf "$x$x$x$x" | dd of=$x.img conv=notrunc status=none
		done
		truncate -s 2M large.img
		cp a.img w.img
		loop=$(losetup -f --show -r a.img)
		writable=$(losetup -f --show w.img)
		/usr/bin/python3 - "$loop" "$writable" <<"P"
import errno, fcntl, os, struct, sys
CHANGE, SET, GET = 0x4C06, 0x4C02, 0x4C03
def exchange(loop, file):
    with open(loop, "rb") as to, open(file, "rb") as f:
        try:
            fcntl.ioctl(to, CHANGE, f.fileno())
        except OSError as e:
            return errno.errorcode[e.errno]
def begins(loop):
    with open(loop, "rb") as f:
        return f.read(4).decode()
loop, writable = sys.argv[1:]
before = begins(loop)
exchange(loop, "b.img")
print(before, begins(loop))
print(exchange(loop, "large.img"), exchange(writable, "b.img"))
with open(writable, "r+b") as f:
    info = bytearray(256)
    fcntl.ioctl(f, GET, info)
    named = b"w.img" in info
    at = struct.calcsize("iLLLi") - 4
    struct.pack_into("i", info, at, 512)
    fcntl.ioctl(f, SET, info)
print(named, open("/sys/block/" + writable[5:] + "/loop/offset").read().strip())
P
		losetup -d "$loop"
		losetup -d "$writable"' "dmuse: loop0: '$PWD/large.img' has another size than the file whose place it is to take"
	in_session "a file that is too small is refused" "1" '
		truncate -s 100 small.img
		losetup -f --show small.img 2>said || grep -c "has no whole block of 512 bytes" said'
	in_session "an offset within a sector is refused" "1" '
		truncate -s 1M f.img
		losetup -f --show -o 100 f.img 2>said || grep -c "an offset is a multiple of 512 bytes, not 100" said'
	in_session "a file whose name is gone, and one in use" "1048576
1048576
gone" '
		exec 5<>f.img
		rm f.img
		loop=$(losetup -f --show /proc/self/fd/5)
		blockdev --getsize64 "$loop"
		exec 5<&-
		exec 6<"$loop"
		losetup -d "$loop"
		blockdev --getsize64 "$loop"
		exec 6<&-
		[ -e /sys/block/${loop#/dev/}/loop ] || echo gone'
	in_session "a partition that is in use keeps its loop device" "8388608
gone" '
		loop=$(losetup -f --show -P parts.img)
		exec 7<"${loop}p1"
		losetup -d "$loop"
		blockdev --getsize64 "${loop}p1"
		exec 7<&-
		[ -e "$loop" ] || echo gone'
	in_session "a physical volume of LVM" "8388608
loop
lvm
0" '
		truncate -s 32M big.img
		loop=$(losetup -f --show big.img)
		vgcreate -qq vg "$loop"
		lvcreate -qq -L 8M -n lv vg
		blockdev --getsize64 /dev/vg/lv
		lsblk -n -o TYPE "$loop"
		vgremove -qqf vg
		losetup -d "$loop"
		losetup -a | wc -l'
	in_session "of two who attach a file to the same one, one does" "done" '
		truncate -s 1M one.img two.img
		for i in $(seq 20); do
			loop=$(losetup -f) n=0
			losetup "$loop" one.img 2>/dev/null & a=$!
			losetup "$loop" two.img 2>/dev/null & b=$!
			wait $a && n=$((n + 1))
			wait $b && n=$((n + 1))
			[ $n = 1 ] || echo "$n have"
			losetup -d "$loop"
		done
		echo done'
	in_session "many at a time" "20
0" '
		for i in $(seq 20); do truncate -s ${i}M $i.img; losetup -f $i.img; done
		losetup -a | wc -l
		losetup -D
		losetup -a | wc -l'
}

luks() {
	truncate -s 48M c.img
	printf one >one
	in_session "cryptsetup luksFormat FILE" "LUKS" "
		cryptsetup luksFormat -q $quick c.img one
		head -c 4 c.img; echo"
	in_session "luksFormat on a device with blocks of 4096 bytes" "4096 4096
LUKS" "
		truncate -s 32M blocks.img
		loop=\$(losetup -f --show -b 4096 blocks.img)
		echo \$(blockdev --getss \$loop) \$(stat -f -c %S \$loop)
		cryptsetup luksFormat -q --type luks2 $quick \$loop one
		losetup -d \$loop
		head -c 4 blocks.img; echo"
	in_session "cryptsetup open FILE" "$PWD/c.img
ext4
gone" '
		cryptsetup open --key-file one c.img v
		cryptsetup status v | sed -n "s/^  *loop: *//p"
		mkfs.ext4 -q /dev/mapper/v
		blkid -o value -s TYPE /dev/mapper/v
		fsck.ext4 -fn /dev/mapper/v >/dev/null 2>&1
		cryptsetup close v
		[ -z "$(losetup -j c.img)" ] && echo gone'
	in_session "a header of its own, in a file" "33554432" "
		truncate -s 32M data.img
		truncate -s 16M header
		cryptsetup luksFormat -q $quick --header header data.img one
		cryptsetup open --header header --key-file one data.img v
		blockdev --getsize64 /dev/mapper/v
		cryptsetup close v"
}

verity() {
	head -c 4M /dev/urandom >data.img
	in_session "veritysetup open FILE" "the same
gone" '
		root=$(veritysetup format data.img hash.img | sed -n "s/^Root hash:[[:space:]]*//p")
		veritysetup open data.img v hash.img "$root"
		cmp data.img /dev/mapper/v && echo "the same"
		veritysetup close v
		[ -z "$(losetup -j data.img)$(losetup -j hash.img)" ] && echo gone'
}

# The session's own come back after a kill, with what is mapped onto them.
killed() {
	local pid
	[ "$who" = user ] || return
	truncate -s 16M f.img
	"$DMUSE" daemon >/dev/null 2>&1
	in_session "a loop device that stays" "/dev/loop0" '
		loop=$(losetup -f --show -o 1M f.img)
		dmsetup create v --table "0 2048 linear $loop 0"
		echo "$loop"'
	pid=$("$DMUSE" version --no-start | sed -n 's/^Daemon: *running, pid //p')
	kill -9 "$pid"
	tail --pid="$pid" -f /dev/null
	in_session "is there after the daemon was killed" "1048576 0 $PWD/f.img
hello" '
		echo $(losetup -n -O OFFSET,AUTOCLEAR,BACK-FILE /dev/loop0)
		echo hello | dd of=/dev/mapper/v conv=fsync status=none
		dd if=f.img bs=1M skip=1 count=1 status=none | head -c 5; echo
		dmsetup remove v
		losetup -d /dev/loop0'
}

# Kills the daemon while FILE is elsewhere.
kill_without() {
	local pid
	pid=$("$DMUSE" version --no-start | sed -n 's/^Daemon: *running, pid //p')
	mv "$1" away.img
	kill -9 "$pid"
	tail --pid="$pid" -f /dev/null
}

# One whose file cannot be opened again waits for it, with what is mapped onto it.
away() {
	[ "$who" = user ] || return
	truncate -s 16M f.img
	echo hello | dd of=f.img bs=1M seek=1 conv=notrunc status=none
	"$DMUSE" daemon >/dev/null 2>&1
	in_session "a loop device that stays once more" "/dev/loop0" '
		loop=$(losetup -f --show -o 1M f.img)
		dmsetup create v --table "0 2048 linear $loop 0"
		echo "$loop"'
	kill_without f.img
	in_session "waits for its file after the daemon was killed" "1048576 $PWD/f.img
30720
1" '
		echo $(losetup -n -O OFFSET,BACK-FILE /dev/loop0)
		blockdev --getsz /dev/loop0
		losetup -c /dev/loop0 2>said || grep -c "cannot open .*/f.img.: No such file" said'
	truncate -s 16M f.img
	in_session "takes no other for it" "1" '
		losetup -c /dev/loop0 2>said ||
		grep -c "loop device .loop0. waits for its file: .*/f.img. is another file or disk than it was, or has another size; .losetup -d. in a session detaches it" said'
	in_session "and a read waits until that is measured again" "hello
hello" '
		dd if=/dev/mapper/v bs=512 count=1 iflag=direct 2>/dev/null >read & reader=$!
		mv away.img f.img
		losetup -c /dev/loop0
		wait $reader
		head -n 1 read | tr -d "\\0"
		dd if=/dev/loop0 bs=512 count=1 status=none | head -c 6'
	kill_without f.img
	in_session "one that waits has no label to be read, and can be detached" "1
0" '
		dmsetup remove v
		blockdev --rereadpt /dev/loop0 2>said || grep -c "No such device or address" said
		losetup -d /dev/loop0
		losetup -a | wc -l'
}

# Its partitions wait with it: one that a program has open goes on.
partition_away() {
	local program
	[ "$who" = user ] || return
	truncate -s 8M parts.img
	echo 'start=2048, size=4096' | /sbin/sfdisk -q parts.img
	echo hello | dd of=parts.img bs=1M seek=1 conv=notrunc status=none
	"$DMUSE" daemon >/dev/null 2>&1
	"$DMUSE" exec sh -c 'losetup -f -P parts.img; exec 7</dev/loop0p1; touch going
		until [ -e enough ]; do sleep 0.02; done; head -c 5 <&7' >out 2>&1 &
	program=$!
	until_true [ -e going ]
	kill_without parts.img
	in_session "a partition in use waits with its loop device" "1" "[ -b /dev/loop0p1 ] && echo 1"
	touch enough
	in_session "and goes on with it" "4096" '
		mv away.img parts.img
		losetup -c /dev/loop0
		blockdev --getsz /dev/loop0p1'
	wait "$program"
	is "$who: its program sees no error" "0:hello" "$?:$(tr -d '\0' <out)"
	in_session "loop device and partition go" "0" 'losetup -d /dev/loop0; losetup -a | wc -l'
}

if [ -x /sbin/losetup ] && [ -x /sbin/cryptsetup ]; then
	session_test attach own luks verity killed away partition_away
else
	skip "loop devices" "losetup or cryptsetup is not installed"
	plan
fi
