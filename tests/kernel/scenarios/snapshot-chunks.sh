# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Which chunk sizes there may be.
t dmsetup create cow --table "0 512 linear $B 0"
for kind in N P; do
	for chunk in 0 1 2 3 4 7 8 12 16 24 32 64 128 256 512 1024 x '' -8 8x 0x8 4194304 4294967296 4294967304; do
		dd if=/dev/zero of="$B" bs=512K count=1 oflag=direct conv=notrunc status=none
		t dmsetup create it --table "0 1024 snapshot $A /dev/mapper/cow $kind $chunk" || continue
		dmsetup table it
		dmsetup status it
		dmsetup remove it
	done
done
t dmsetup create it --table "0 1024 snapshot $A /dev/mapper/cow N 2097152"
dmsetup status it
