#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# File systems on devices, mounted by the kernel in root's sessions: a mounted device has its own name, and always the
# size of its table. An ordinary user is told what to use instead.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

programs=$(dirname "$DMUSE")/tests/programs
if [ -z "$BLOCKDEV" ]; then
	BLOCKDEV=$(mktemp /tmp/dmuse-blockdev-XXXXXX)
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
# can WHAT TYPE [PROGRAM]: are there root, loop devices, a kernel that knows the type, and the program? Else WHAT is
# skipped.
can() {
	[ "$who" = root ] || return 1
	[ -e /dev/loop-control ] || { skip "$1" "there is no /dev/loop-control"; return 1; }
	grep -qw "$2" /proc/filesystems || modprobe -q "$2" 2>/dev/null || { skip "$1" "this kernel has no $2"; return 1; }
	[ -z "$3" ] || type -P "$3" >/dev/null || { skip "$1" "there is no $3"; return 1; }
}

# The kernel itself mounts, through a loop device.
mounts() {
	image
	if [ "$who" = user ]; then
		likely "mount says what to use instead" "dmuse: mount /dev/mapper/d: the kernel lets only root .*fuse2fs" \
			'mkdir m; mount /dev/mapper/d m; rmdir m; mkfs.ext4 -q /dev/mapper/d; mkdir m; mount /dev/mapper/d m; echo $?; rmdir m'
		return
	fi
	if [ ! -e /dev/loop-control ]; then
		skip "mount" "there is no /dev/loop-control"
		return
	fi
	in_session "mount, and what is in it stays" "ext4:hello" 'set -e; mkfs.ext4 -q /dev/mapper/d; mkdir m; mount /dev/mapper/d m
		stat -fc %T m | sed "s,ext2/ext3,ext4:," | tr -d "\n"; echo hello >m/f; umount m; mount -r /dev/mapper/d m; cat m/f; umount m'
	in_session "a mounted device is in use" "busy 1 0" 'open() { dmsetup info -c --noheadings -o open d; }; mount /dev/mapper/d m
		busy=$(dmsetup remove d 2>&1 | grep -o busy); echo $busy $(open) $(umount m; open)'
	likely "and is not made anew" "apparently in use" 'mount /dev/mapper/d m; mkfs.ext4 /dev/mapper/d 2>&1; umount m'
	in_session "unmounted by its device's name, from a directory with a blank, too" "0 0 32" 'mkdir "m m"; mount /dev/mapper/d m; mount /dev/mapper/d "m m"
		umount /dev/mapper/d; echo $? $(umount /dev/mapper/d; echo $?) $(umount /dev/mapper/d 2>/dev/null; echo $?); rmdir "m m"'
	in_session "mounted twice it is the same" "same" 'mkdir -p n; mount /dev/mapper/d m; mount /dev/mapper/d n; echo same >m/g; cat n/g; umount m n'
	in_session "remounted" "ro" 'mount /dev/mapper/d m; mount -o remount,ro m; findmnt -no OPTIONS m | cut -d, -f1; umount m'
	in_session "xfs on a disk" "xfs" 'mkfs.xfs -qf /dev/sdx; mount /dev/sdx m; stat -fc %T m; umount m'
	in_session "a fresh one with a table that is read-only" "ro:0" 'mkfs.ext4 -qF /dev/mapper/d
		dmsetup create r -r --table "0 786432 linear disk.img 2048"; mount /dev/mapper/r m 2>/dev/null
		findmnt -no OPTIONS m | cut -d, -f1 | tr "\n" :; umount m; echo $?'
	in_session "in a mount namespace inside" "lost+found" 'unshare -m sh -c "mount /dev/mapper/d m; ls m"; ls m'
	in_session "mounted step by step, as by newer mount(8)" "lost+found 0" "'$BLOCKDEV' fsopen /dev/mapper/d; "'echo $(ls m) $(umount m
		dmsetup info -c --noheadings -o open d)'
	in_session "the wrong kind" "32" 'mount -t xfs /dev/mapper/d m 2>/dev/null; echo $?'
	in_session "what is no device of ours" "tmpfs" 'mount -t tmpfs /dev/mapper/d m; stat -fc %T m; umount m'
	in_session "mounted when the session ends" "" 'mount /dev/mapper/d m; echo late >m/late; echo /dev/loop$(stat -c %Ld m) >loop'
	# The kernel takes a mount namespace down when its last process has ended, and we do not wait for that.
	for _ in {1..200}; do losetup "$(cat loop)" 2>/dev/null | grep -q "\.dmuse/io" || break; read -rt 0.02 <> <(:); done
	is "root: its loop device is gone" "" "$(losetup "$(cat loop)" 2>/dev/null | grep "\.dmuse/io")"
	in_session "nothing was lost" "late" 'mount /dev/mapper/d m; cat m/late; umount m'
	"$DMUSE" create d --table "0 786432 linear disk.img 2048" 2>/dev/null
	"$DMUSE" exec -- sh -c 'mount /dev/mapper/d m; head -c 50M /dev/urandom | tee m/much >much'
	is "root: a mount outlives the program that made it" "late much" "$("$DMUSE" exec -- ls m | grep -v lost | xargs)"
	works "root: the daemon ends in spite of it" shutdown
	in_session "and nothing was lost" "0:" 'e2fsck -fn /dev/mapper/d >&3 2>&3; printf $?:; mount /dev/mapper/d m; cmp m/much much; umount m' 3>fsck
	rm -rf m n
}

# What people and programs see of mounts has the device's name, as it was given.
names() {
	can "names of what is mounted" ext4 || return
	image
	mkdir m
	mkfs.ext4 -qF -E offset=1048576 disk.img 380M
	in_session "what is mounted has the device's name" "/dev/mapper/d $PWD/m /dev/mapper/d $PWD/m /dev/mapper/d" 'mount /dev/mapper/d m
		echo $(grep " $PWD/m " /proc/mounts | cut -d" " -f1) $(findmnt -no TARGET /dev/mapper/d) $(df --output=source,target m | tail -1) \
		$(mount | grep " $PWD/m " | cut -d" " -f1); umount m'
	in_session "also for who mounts it by another name" "/dev/mapper/d" 'ln -s /dev/mapper/d /dev/alias; mount /dev/alias m
		findmnt -no SOURCE m; umount m'
	in_session "and for who asks the kernel in one call" "/dev/dm-N /dev/../dev/mapper/d mapper/d" "mounted() {
			(cd /dev; '$BLOCKDEV' mount \"\$1\" '$PWD/m'); grep ' $PWD/m ' /proc/mounts | cut -d' ' -f1; umount m; }"'
		echo $(mounted /dev/$(dmsetup info -c --noheadings -o blkdevname d) | tr 0-9 N; mounted /dev/../dev/mapper/d; mounted mapper/d)'
	in_session "mounted once by a table of mounts" "0 0 1" "echo '/dev/mapper/d $PWD/m ext4 defaults 0 0' >fstab
		"'mount -a -T fstab; a=$?; mount -a -T fstab; echo $a $? $(grep -c " $PWD/m " /proc/mounts); umount m'
	likely "not twice in one place" "already mounted" 'mount /dev/mapper/d m; mount /dev/mapper/d m; umount m; umount m 2>/dev/null && echo twice'
	in_session "remounted by its device" "rw ro" 'mount /dev/mapper/d m; o() { findmnt -no OPTIONS m | cut -d, -f1; }
		a=$(o); mount -o remount,ro /dev/mapper/d; echo $a $(o); umount /dev/mapper/d'
	in_session "options of the mount, not of the file system" "rw,nosuid,nodev,noexec,noatime 126" 'mount -o nosuid,nodev,noexec,noatime /dev/mapper/d m
		cp /bin/true m/; m/true 2>/dev/null; run=$?; echo $(findmnt -no VFS-OPTIONS m) $run; umount m'
	likely "resize2fs, which takes it for unmounted, is told so" "dmuse: resize2fs of a mounted device: .*unmount it first" \
		'mount /dev/mapper/d m; resize2fs /dev/mapper/d; umount m'
	likely "not onto a file" "not a directory" '>f; mount /dev/mapper/d f; rm f'
	likely "nor onto nothing" "does not exist" 'mount /dev/mapper/d nothing'
	in_session "and nothing is left of what failed" "0" '>f; mount /dev/mapper/d f 2>/dev/null; mount -t xfs /dev/mapper/d m 2>/dev/null
		rm f; dmsetup info -c --noheadings -o open d'
}

# The loop device has the size of the table before the command that swaps it is answered.
sizes() {
	can "growing xfs" xfs mkfs.xfs || return
	image
	mkdir m
	in_session "xfs grows while it is mounted, and df shows it" "more 0 60" 'set -e; dmsetup load d --table "0 614400 linear disk.img 2048"
		dmsetup resume d; mkfs.xfs -qf /dev/mapper/d; mount /dev/mapper/d m; before=$(df --output=size -k m | tail -1)
		dmsetup load d --table "0 737280 linear disk.img 2048"; dmsetup resume d
		xfs_growfs m >/dev/null; after=$(df --output=size -k m | tail -1); [ $after -le $before ] || echo -n "more "
		echo $? $(((after - before) / 1024)); umount m'
	truncate -s 500M pv
	is "root: lvextend -r grows a mounted xfs, and df shows it" "0 60" "$("$DMUSE" exec --disk pv="$PWD/pv" -- bash -c 'set -e
		exec 3>&1 >&2; pvcreate -q /dev/pv; vgcreate -q vg /dev/pv; lvcreate -qy -L 320M -n lv vg; mkfs.xfs -qf /dev/vg/lv
		mount /dev/vg/lv m; size() { df --output=size -k m | tail -1; }; before=$(size); lvextend -r -L +60M vg/lv
		echo $? $((($(size) - before) / 1024)) >&3; umount m' 2>log)" || cat log
	in_session "and 50 times, at once each time" "" 'mount /dev/mapper/d m; loop=$(stat -c %Hd:%Ld m)
		for i in $(seq 50); do n=$((700000 + i * 8)); dmsetup load d --table "0 $n linear disk.img 2048"; dmsetup resume d
		[ $(cat /sys/dev/block/$loop/size) = $n ] || echo not $n; done; umount m'
	in_session "a journal on a device of its own" "0 xfs 1 0" 'dmsetup create log --table "0 131072 linear disk.img 655360"
		dmsetup load d --table "0 614400 linear disk.img 2048"; dmsetup resume d; open() { dmsetup info -c --noheadings -o open log; }
		mkfs.xfs -qf -l logdev=/dev/mapper/log /dev/mapper/d; mount -o logdev=/dev/mapper/log /dev/mapper/d m
		echo $? $(stat -fc %T m) $(open; umount m; open)'
}

several() {
	can "btrfs" btrfs mkfs.btrfs || return
	truncate -s 600M b1 b2 b3
	mkdir m
	devices() { "$DMUSE" exec --create "b1=0 614400 linear b1 0" --create "b2=0 614400 linear b2 0" --create "b3=0 614400 linear b3 0" -- bash -c "
		paths() { btrfs filesystem show m | sed -n 's/.* path //p' | xargs; }
		opens() { dmsetup info -c --noheadings -o name,open | xargs; }
		$1" 2>&1; }
	is "root: btrfs on two devices is made, told of, mounted by the second, unmounted by name" "0 0 0 /dev/mapper/b1 /dev/mapper/b2 0 b1:0 b2:0 b3:0" "$(devices '
		mkfs.btrfs -qf -d raid1 -m raid1 /dev/mapper/b1 /dev/mapper/b2 >/dev/null; echo -n "$? "
		btrfs device scan /dev/mapper/b1 >/dev/null; echo -n "$? "; mount /dev/mapper/b2 m; echo -n "$? $(paths) "; echo hello >m/f
		umount $(findmnt -no SOURCE m); echo $? $(opens)')"
	is "root: another session mounts it without a scan" "hello" "$(devices 'mount /dev/mapper/b1 m; cat m/f; umount m')"
	is "root: a device is added, another one removed, one replaced" "0 b1:1 b2:1 b3:1 0 b1:0 b2:1 b3:1 0 /dev/mapper/b2 /dev/mapper/b1 hello" "$(devices '
		mount /dev/mapper/b1 m; btrfs device add -fK /dev/mapper/b3 m >/dev/null; echo $? $(opens)
		btrfs device remove /dev/mapper/b1 m; echo $? $(opens)
		btrfs replace start -KfB /dev/mapper/b3 /dev/mapper/b1 m; echo $? $(paths) $(cat m/f); umount m' | xargs)"
	is "root: and grows with one of its devices" "0 400" "$(devices 'mount /dev/mapper/b2 m
		dmsetup load b1 --table "0 819200 linear ./b1 0"; dmsetup resume b1; btrfs filesystem resize 3:max m >/dev/null; echo $? \
		$(btrfs filesystem show --mbytes m | sed -n "s/.*size \([0-9]*\)\..*b1$/\1/p"); umount m')"
	is "root: the device below it, and a copy, are no devices of the same file system" "0 /dev/mapper/top hello" "$(devices '
		dmsetup create top --table "0 614400 linear /dev/mapper/b1 0"; mkfs.btrfs -qfK /dev/mapper/top >/dev/null; mount /dev/mapper/top m
		echo hello >m/f; umount m; dd if=/dev/mapper/b1 of=/dev/mapper/b2 bs=1M status=none
		mount /dev/mapper/top m; echo $? $(paths) $(cat m/f); umount m')"
	is "root: a scan of what is no btrfs fails as it does elsewhere" 1 "$(devices 'dmsetup create z --table "0 8 zero"
		btrfs device scan /dev/mapper/z >/dev/null 2>&1; echo $?')"
}

# If a program itself serves a file system, the kernel claims the device for it.
ntfs() {
	can "ntfs-3g" fuseblk ntfs-3g || return
	image
	mkdir m
	in_session "ntfs-3g mounts, and mount(8) by way of it" "0 fuseblk hello 0" 'set -o pipefail; { mkfs.ntfs -qFf /dev/mapper/d >/dev/null; ntfs-3g /dev/mapper/d m
		echo -n "$? "; findmnt -no FSTYPE /dev/mapper/d; echo hello >m/f; umount m; mount -t ntfs-3g /dev/mapper/d m; cat m/f
		umount /dev/mapper/d; echo $?; } | xargs'
}

swaps() {
	image
	likely "swapon says why not" "dmuse: swapon /dev/mapper/d: .*cannot be used for swap" 'mkswap /dev/mapper/d >/dev/null; swapon /dev/mapper/d'
	likely "and it is no swap space" "swapoff failed: (Invalid argument|Not superuser)" 'swapoff /dev/mapper/d'
}

session_test mounts names sizes several ntfs swaps
