# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# An origin that ends within a chunk, chunks larger than the origin.
BS=4K
for chunk in 64 2048; do
	say "chunks of $chunk"
	dd if=/dev/zero of="$B" bs=1M count=4 oflag=direct conv=notrunc status=none
	stamp "$A" 128
	t dmsetup create real --table "0 104 linear $A 0"
	t dmsetup create org --table '0 104 snapshot-origin /dev/mapper/real'
	t dmsetup create snap --table "0 104 snapshot /dev/mapper/real $B P $chunk"
	mark /dev/mapper/org 96 8 a
	t dmsetup status snap
	mark /dev/mapper/snap 40 8 c
	look /dev/mapper/snap 0 104
	look /dev/mapper/org 0 104
	t dmsetup status snap
	for d in snap org real; do t dmsetup remove $d; done
done
