# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Discards, with and without the features; zeros.
BS=4K
stamp "$A" 1024
t dmsetup create org --table "0 1024 snapshot-origin $A"
t blkdiscard -o 0 -l 65536 /dev/mapper/org
t blkdiscard -z -o 0 -l 8192 /dev/mapper/org
look /dev/mapper/org 0 32
for features in '' ' 1 discard_zeroes_cow' ' 2 discard_zeroes_cow discard_passdown_origin'; do
	say "features:$features"
	dd if=/dev/zero of="$B" bs=64K count=4 oflag=direct conv=notrunc status=none
	stamp "$A" 1024
	t dmsetup create snap --table "0 1024 snapshot $A $B P 8$features"
	t dmsetup table snap
	mark /dev/mapper/snap 0 64 a
	t blkdiscard -o 8192 -l 8192 /dev/mapper/snap
	look /dev/mapper/snap 0 64
	t blkdiscard -o 65536 -l 8192 /dev/mapper/snap
	look /dev/mapper/snap 120 32
	t dmsetup status snap
	t blkdiscard -z -o 131072 -l 8192 /dev/mapper/snap
	look /dev/mapper/snap 248 32
	t dmsetup status snap
	t dmsetup remove snap
done
