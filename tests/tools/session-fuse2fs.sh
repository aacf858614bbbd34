#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The replacement for mount(2) in sessions of ordinary users: fuse2fs on one of our devices, visible in that session
# only.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

mounted() {
	truncate -s 40M disk.img
	mkdir m
	run exec --create "d=0 81920 linear $PWD/disk.img 0" -- sh -euc 'mkfs.ext4 -q /dev/mapper/d
		fuse2fs -o fakeroot /dev/mapper/d m >log 2>&1
		echo hello >m/hello
		cat m/hello
		umount m
		timeout 60 sh -c "until [ \$(dmsetup info -c --noheadings -o open d) = 0 ]; do sleep 0.02; done"
		e2fsck -fn /dev/mapper/d >check 2>&1
		debugfs -R "cat hello" /dev/mapper/d 2>/dev/null'
	is "$who: a file system in user space" "0:hello hello" "$status:$(tr '\n' ' ' <<<"$out" | sed 's/ $//')"
	is "$who: nobody else sees it" "" "$(ls m)"
}

if command -v fuse2fs >/dev/null; then
	session_test mounted
else
	skip "fuse2fs" "it is not installed"
	plan
fi
