# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# The bytes of a persistent store.
BS=4K
stamp "$A" 1024
bytes() { raw "$B" "$1" "$2" | od -A d -t x8 -v | grep -v '0000000000000000 0000000000000000$'; }
for chunk in 8 32; do
	say "chunks of $chunk"
	printf 'not a header, and not zeros' | dd of="$B" bs=512 seek=$((chunk + 3)) conv=notrunc,sync status=none
	t dmsetup create snap --table "0 1024 snapshot $A $B PO $chunk"
	t dmsetup create org --table "0 1024 snapshot-origin $A"
	bytes 0 $((chunk * 2 + 8))
	mark /dev/mapper/org $((chunk * 3)) 8 a
	mark /dev/mapper/org $((chunk * 4)) 8 b
	mark /dev/mapper/org 0 8 c
	mark /dev/mapper/snap $((chunk * 7)) 8 d
	t dmsetup status snap
	bytes 0 $((chunk * 2))
	look "$B" $((chunk * 2)) $((chunk * 4))
	t dmsetup remove snap
	t dmsetup remove org
	dd if=/dev/zero of="$B" bs=64K count=4 oflag=direct conv=notrunc status=none
done
