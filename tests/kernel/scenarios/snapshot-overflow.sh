# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A store that is full: what a write to the origin does then, and one to the snapshot. P and N are invalid after either.
BS=4K
at() { echo "$(dmsetup status snap), event $(dmsetup info -c --noheadings -o events snap)"; }
for kind in N P PO; do
	dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
	stamp "$A" 256
	dmsetup create org --table "0 256 snapshot-origin $A"
	dmsetup create cow --table "0 40 linear $B 0"
	say "$kind, the origin is written to"
	t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow $kind 8"
	for i in 0 1 2 3 4; do
		mark /dev/mapper/org $((i * 8)) 8 a
		at
	done
	mark /dev/mapper/org 48 8 b
	at
	look /dev/mapper/snap 0 8
	mark /dev/mapper/snap 0 8 c
	look /dev/mapper/org 0 64
	t dmsetup suspend snap
	t dmsetup resume snap
	at
	t dmsetup remove snap
	dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
	say "$kind, the snapshot is written to"
	t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow $kind 8"
	for i in 8 9 10 11 12; do
		mark /dev/mapper/snap $((i * 8)) 8 d
		at
	done
	look /dev/mapper/snap 64 40
	mark /dev/mapper/snap 64 8 e
	at
	mark /dev/mapper/org 64 8 f
	at
	mark /dev/mapper/org 240 8 f
	at
	look /dev/mapper/snap 64 40
	dmsetup remove snap
	dmsetup remove cow
	dmsetup remove org
done
