#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A suspend freezes the file system that is mounted on the device, so the image below is clean meanwhile; resume thaws it.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# can WHAT TYPE PROGRAM: root, loop devices, a kernel that knows the type, and a program; else WHAT is skipped.
can() {
	[ "$who" = root ] || return 1
	[ -e /dev/loop-control ] || { skip "$1" "there is no /dev/loop-control"; return 1; }
	grep -qw "$2" /proc/filesystems || modprobe -q "$2" 2>/dev/null || { skip "$1" "this kernel has no $2"; return 1; }
	type -P "$3" >/dev/null || { skip "$1" "there is no $3"; return 1; }
}
# frozen TYPE CHECK: what CHECK says of the image while the device is suspended; whether a writer waits; and goes on.
frozen() {
	rm -f disk.img
	truncate -s 400M disk.img
	"$DMUSE" exec --create d="0 819200 linear $PWD/disk.img 0" -- bash -c "mkfs.$1 -q /dev/mapper/d && mkdir -p m && mount /dev/mapper/d m &&
		echo before >m/f && dmsetup suspend $3 d && if { $2; } >/dev/null 2>&1; then echo clean; else echo dirty; fi
		touch m/g & writer=\$!; kill -0 \$writer && echo waits; dmsetup resume d; wait \$writer && cat m/f; ls m | grep g; umount m" 2>&1
}
placed="xfs_db -r -c 'path /f' -c 'print core.size' disk.img | grep -q 'size = 7'"
freezes() {
	can "suspend freezes ext4" ext4 mkfs.ext4 && {
		is "$who: a suspended ext4 is clean below" $'clean\nwaits\nbefore\ng' "$(frozen ext4 "e2fsck -fn disk.img && ! dumpe2fs -h disk.img | grep -q needs_recovery")"
		is "$who: --nolockfs leaves it as it is" $'dirty\nwaits\nbefore\ng' "$(frozen ext4 "! dumpe2fs -h disk.img | grep -q needs_recovery" --nolockfs)"
	}
	# A frozen xfs says on purpose that its log is to be replayed; but whatever was in it has its place already.
	can "suspend freezes xfs" xfs mkfs.xfs && {
		is "$who: a suspended xfs has all in its place below" $'clean\nwaits\nbefore\ng' "$(frozen xfs "$placed")"
		is "$who: and not with --nolockfs" $'dirty\nwaits\nbefore\ng' "$(frozen xfs "$placed" --nolockfs)"
	}
}

session_test freezes
