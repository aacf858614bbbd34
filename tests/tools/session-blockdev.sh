#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Mapped devices and disks behave as block devices, for the tools that look most closely: as root, and as an
# ordinary user. tests/programs/blockdev.c checks what no tool does.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

programs=$(dirname "$DMUSE")/tests/programs
if [ -z "$BLOCKDEV" ]; then
	BLOCKDEV=$(mktemp "$outside/blockdev-XXXXXX")
	export BLOCKDEV
	trap 'rm -f "$BLOCKDEV"; tap_end' EXIT
	cat "$programs/blockdev" >"$BLOCKDEV"
	chmod 0755 "$BLOCKDEV"
fi

# in_session WHAT WANTED SCRIPT: compares the output of SCRIPT in a session where /dev/mapper/d is on disk.img and
# /dev/sdx is a disk.
in_session() {
	is "$who: $1" "$2" "$(in_it "$3")"
}
likely() {
	like "$who: $1" "$2" "$(in_it "$3")"
}
in_it() {
	"$DMUSE" exec --disk sdx="$PWD/disk.img" --create d="0 786432 linear $PWD/disk.img 2048" -- bash -c "$1" 2>&1
}
image() {
	truncate -s 400M disk.img
}

closely() {
	local what
	image
	for what in "stat:stat and fstat agree in all fields" "ways:a descriptor that came another way" \
		"claims:O_EXCL claims" "mmap:mappings, read(2) and O_DIRECT see the same" "end:the end of a disk"; do
		in_session "mapped device: ${what#*:}" "" "'$BLOCKDEV' ${what%%:*} /dev/mapper/d"
		in_session "disk: ${what#*:}" "" "'$BLOCKDEV' ${what%%:*} /dev/sdx"
	done
	in_session "control node: stat and fstat agree" "" "'$BLOCKDEV' stat /dev/mapper/control; '$BLOCKDEV' ways /dev/mapper/control"
	in_session "a claim is refused even while its holder waits" "busy" 'dmsetup suspend d; blkdiscard -z -l 512 /dev/mapper/d 2>/dev/null &
		timeout 60 sh -c "until dmsetup info -c --noheadings -o open d | grep -q 1; do :; done"
		timeout 60 blkdiscard -z -l 512 /dev/mapper/d 2>&1 | grep -o busy; dmsetup resume d; wait'
	in_session "other files, too" "" "'$BLOCKDEV' stat /etc/passwd /dev/null /dev/dm-*"
	in_session "10,000 rounds of open counts, none stale" "" "'$BLOCKDEV' counts /dev/mapper/d"
}

# A close is not the end for the kernel while it reads ahead for the file; a block device's close(2) waits for that.
read_ahead() {
	image
	in_session "who has closed a slow device can remove it" "0" 'dmsetup create slow --table "0 8192 delay /dev/sdx 0 200"
		dd if=/dev/mapper/slow bs=4k count=20 of=/dev/null status=none; dmsetup remove slow; echo $?'
	in_session "who has it open and reads ahead cannot" "busy 0" 'dmsetup create slow --table "0 8192 delay /dev/sdx 0 200"
		exec 5</dev/mapper/slow; dd bs=4k count=20 of=/dev/null status=none <&5; said=$(dmsetup remove slow 2>&1)
		exec 5<&-; dmsetup remove slow; echo "$(grep -o busy <<<"$said") $?"'
	# ahead FLAG PATH: opens it, with O_EXCL or so, begins to read ahead, and closes it.
	local ahead='dmsetup create slow --table "0 8192 delay /dev/sdx 0 200"
		ahead() { python3 -c "import os, sys
fd = os.open(sys.argv[2], os.O_RDONLY | getattr(os, sys.argv[1]))
os.posix_fadvise(fd, 0, 65536, os.POSIX_FADV_WILLNEED)
os.close(fd)" "$@"; }; '
	in_session "who had it alone is followed by the next who wants that" "0 0" "$ahead"'ahead O_EXCL /dev/mapper/slow; ahead O_EXCL /dev/mapper/slow; first=$?
		python3 -c "import os; os.open(\"/dev/mapper/slow\", os.O_EXCL | os.O_RDWR)"; echo $first $?'
	in_session "and by a table" "0" "$ahead"'ahead O_EXCL /dev/mapper/slow; dmsetup create above --table "0 8 linear /dev/mapper/slow 0"; echo $?'
	in_session "but not while it is open" "busy" "$ahead"'exec 5</dev/mapper/slow; python3 -c "import os, subprocess
fd = os.open(\"/dev/mapper/slow\", os.O_RDONLY | os.O_EXCL)
os.posix_fadvise(fd, 0, 65536, os.POSIX_FADV_WILLNEED)
print(\"busy\" if subprocess.run([\"dmsetup\", \"create\", \"above\", \"--table\", \"0 8 linear /dev/mapper/slow 0\"], stderr=-3).returncode else 0)"'
	in_session "a block size is set" "0" "$ahead"'ahead O_EXCL /dev/mapper/slow; blockdev --setbsz 512 /dev/mapper/slow; echo $?'
	[ "$who" = user ] || return 0		# root has the machine's loop devices
	in_session "a partition is taken away, the label read again, a loop device detached and attached again" "0 0 0 0" \
		"$ahead"'l=$(losetup -f --show /dev/mapper/slow); addpart $l 1 8 2048; ahead O_RDONLY ${l}p1; delpart $l 1; echo -n "$? "
		addpart $l 1 8 2048; ahead O_RDONLY ${l}p1; blockdev --rereadpt $l; echo -n "$? "
		ahead O_RDONLY $l; losetup -d $l; losetup $l /dev/mapper/slow; echo -n "$? "
		ahead O_RDONLY $l; losetup -d $l; echo $?'
}

# A tool's messages are compared only where they matter.
file_systems() {
	image
	likely "ext4: made, checked, looked into" "^hello$" 'set -e; mkfs.ext4 -q /dev/mapper/d; e2fsck -fn /dev/mapper/d >&2
		echo hello >hello; debugfs -w -R "write hello hello" /dev/mapper/d; debugfs -R "cat hello" /dev/mapper/d; e2fsck -fy /dev/mapper/d'
	in_session "blkid says so, by the device and on its own" "ext4 ext4" \
		'echo $(blkid -po value -s TYPE /dev/mapper/d) $(blkid -c /dev/null -o value -s TYPE /dev/mapper/d)'
	in_session "blkid does not believe what it remembers: of what was written over" "ext4 xfs swap" 'type() { blkid -o value -s TYPE /dev/mapper/d; }
		mkfs.ext4 -qF /dev/mapper/d; old=$(type); mkfs.xfs -qf /dev/mapper/d; old="$old $(type)"; mkswap /dev/mapper/d >/dev/null 2>&1
		echo "$old $(type)"; mkfs.ext4 -qF /dev/mapper/d'
	in_session "nor of another table" "ext4:2" 'blkid -o value -s TYPE /dev/mapper/d | tr "\n" :
		dmsetup load d --table "0 8 zero"; dmsetup resume d; blkid /dev/mapper/d; echo $?'
	in_session "lsblk says so" "d ext4 dm 384M" 'lsblk -rno NAME,FSTYPE,TYPE,SIZE /dev/mapper/d'
	in_session "wipefs finds and takes the signature" "ext4:0:" \
		'set -o pipefail; wipefs -nO OFFSET,TYPE /dev/mapper/d | awk "END { printf \"%s:\", \$2 }"; wipefs -qa /dev/mapper/d
		printf $?:; blkid -p /dev/mapper/d'
	in_session "xfs: made and checked" "0:0:4096" 'mkfs.xfs -qf /dev/mapper/d; printf $?:; xfs_repair -n /dev/mapper/d >/dev/null 2>&1
		printf $?:; xfs_db -rc "sb 0" -c "p blocksize" /dev/mapper/d | tr -dc 0-9'
	in_session "xfs: repaired" 0 'xfs_repair /dev/mapper/d >/dev/null 2>&1; echo $?'
	in_session "swap" "swap:no label" 'mkswap -f /dev/mapper/d >out 2>&1; blkid -po value -s TYPE /dev/mapper/d | tr "\n" :
		grep -o "no label" out; wipefs -qa /dev/mapper/d'
	in_session "a partition table on a disk" "dos" 'echo ",64M,L" | sfdisk -q --no-reread --no-tell-kernel /dev/sdx; blkid -po value -s PTTYPE /dev/sdx'
}

programs() {
	image
	in_session "static busybox" "block special file 3+0" '
		busybox stat /dev/mapper/d | grep -o "block special file" | tr "\n" " "
		busybox dd if=/dev/mapper/d of=/dev/null bs=1M count=3 2>&1 | grep -m 1 -o "3+0"'
	likely "dd with O_DIRECT both ways" "^8\+0 records out" '
		dd if=/dev/urandom of=r bs=1M count=8 status=none
		dd if=r of=/dev/mapper/d bs=1M oflag=direct && dd if=/dev/mapper/d bs=1M count=8 iflag=direct status=none | cmp - r'
	in_session "dd without" "" 'dd if=r of=/dev/mapper/d bs=77777 status=none conv=fsync; cmp -n 8388608 r /dev/mapper/d; tail -c 100 /dev/mapper/d | tr -d "\0"'
	in_session "dd beyond the end" "No space left on device" 'dd if=/dev/zero of=/dev/mapper/d bs=1M seek=384 count=1 2>&1 | grep -o "No space.*"'
	for engine in libaio io_uring psync; do
		in_session "fio with $engine" 0 "fio --name=j --filename=/dev/mapper/d --ioengine=$engine --direct=1 --iodepth=16 \
			--rw=randwrite --bs=4k --size=8M --verify=crc32c >out 2>&1; echo \$?"
	done
	in_session "cp and sparse files" "" 'dmsetup create s --table "0 65536 linear disk.img 2048"
		cp --sparse=always /dev/mapper/s copy; cmp copy /dev/mapper/s; rm -f copy'
	in_session "a shell's own redirections" "abc" 'printf abc >/dev/mapper/d; head -c 3 /dev/mapper/d; printf "" >>/dev/mapper/d'
	in_session "flock" "got it" 'flock /dev/mapper/d echo got it'
	likely "strace works inside, and shows what is" 'openat\(AT_FDCWD, "/dev/mapper/d", O_RDONLY\) = 3' \
		'strace -e trace=openat,fstat,newfstatat head -c 1 /dev/mapper/d >/dev/null'
	likely "so does gdb" "exited normally" 'gdb -q -batch -ex run --args dd if=/dev/mapper/d of=/dev/null count=1 2>&1'
	likely "and its breakpoints" "Breakpoint 1, " 'DEBUGINFOD_URLS= gdb -q -batch -ex "set breakpoint pending on" -ex "break ioctl" \
		-ex run --args blockdev --getsize64 /dev/mapper/d 2>&1'
	in_session "blockdev" "402653184 512 0" 'echo $(blockdev --getsize64 --getss --getro /dev/mapper/d)'
	in_session "a thread of python's" "4096" 'python3 -c "
import threading, os
t = threading.Thread(target=lambda: print(len(os.pread(os.open(\"/dev/mapper/d\", os.O_RDONLY), 4096, 0)))); t.start(); t.join()"'
}

rights() {
	image
	if [ "$who" = root ]; then
		in_session "who may not, may not" "Permission denied" \
			'setpriv --reuid 61234 --regid 61234 --clear-groups head -c 1 /dev/mapper/d 2>&1 | grep -o "Permission denied"'
		in_session "who is in the group, may" "1" \
			'setpriv --reuid 61234 --regid 61234 --groups 6 head -c 1 /dev/mapper/d | wc -c'
		in_session "nor is control for all" "Permission denied" \
			'setpriv --reuid 61234 --regid 61234 --clear-groups cat /dev/mapper/control 2>&1 | grep -o "Permission denied"'
	else
		in_session "a user namespace inside" "1" 'unshare -Ur head -c 1 /dev/mapper/d | wc -c'
	fi
	in_session "a mount namespace inside" "1" 'unshare -m head -c 1 /dev/mapper/d | wc -c'
	in_session "a process namespace inside" "1" 'unshare -pf --mount-proc head -c 1 /dev/mapper/d | wc -c'
	in_session "a link to a device" "1" 'ln -s /dev/mapper/d link; head -c 1 link | wc -c; rm link'
	in_session "a read-only device opens, and is not written" "0 Operation not permitted" \
		'dmsetup create ro -r --table "0 8 linear disk.img 0"; exec 5<>/dev/mapper/ro; echo $? $(echo x 2>&1 >&5 | grep -o "Oper.*")'
}

# The kernel does not let an ordinary user create nodes; for the session's devices they are created all the same.
nodes() {
	image
	in_session "a node for a device without a table" "252:0 fc:0 block special file 660|8|gone" '
		dmsetup create early --notable --addnodeoncreate || exit
		echo "$(dmsetup info -c --noheadings -o major,minor --separator : early) $(stat -c "%t:%T %F %a" /dev/mapper/early)|$(
		dmsetup load early --table "0 8 zero"; dmsetup resume early; blockdev --getsz /dev/mapper/early)|$(
		dmsetup remove early; test -e /dev/mapper/early || echo gone)"'
	in_session "made by hand: here and below, with the umask" "640 4096 640 4096 File exists" 'mkdir /dev/sub; umask 027
		n=$(stat -c "0x%t 0x%T" /dev/mapper/d | { read -r a b; echo $((a)) $((b)); })
		for f in /dev/hand /dev/sub/hand; do mknod $f b $n; printf "%s %s " "$(stat -c %a $f)" "$(head -c 4096 $f | wc -c)"; done
		mknod /dev/hand b $n 2>&1 | grep -o "File exists"; rm -r /dev/hand /dev/sub'
	[ "$who" = root ] || in_session "no other device's, and nowhere else" "Operation not permitted Operation not permitted" \
		'echo $(mknod /dev/hand b 8 0 2>&1 | grep -o "Oper.*") $(mknod ./hand b 252 0 2>&1 | grep -o "Oper.*")'
}

session_test closely read_ahead file_systems programs rights nodes
