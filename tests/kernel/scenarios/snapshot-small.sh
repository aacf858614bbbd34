# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Stores with hardly any room.
BS=4K
stamp "$A" 256
t dmsetup create org --table "0 256 snapshot-origin $A"
for kind in N P; do
	for sectors in 1 8 15 16 17 31 32 33 47 48 64; do
		dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
		dmsetup create cow --table "0 $sectors linear $B 0"
		say "$kind, $sectors sectors"
		if t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow $kind 16"; then
			dmsetup status snap
			mark /dev/mapper/snap 16 8 a
			dmsetup status snap
			look /dev/mapper/snap 16 16
			dmsetup remove snap
		fi
		dmsetup remove cow
	done
done
