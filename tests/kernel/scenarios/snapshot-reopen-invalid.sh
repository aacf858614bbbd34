# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# What was invalid or overflowed, opened again.
BS=4K
stamp "$A" 256
at() { echo "$(dmsetup status snap), event $(dmsetup info -c --noheadings -o events snap)"; }
t dmsetup create org --table "0 256 snapshot-origin $A"
t dmsetup create cow --table "0 32 linear $B 0"
for kind in P PO; do
	dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
	t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow $kind 8"
	for i in 0 1 2; do mark /dev/mapper/snap $((i * 8)) 8 a; done
	at
	t dmsetup remove snap
	raw "$B" 0 1 | od -A d -t x4 | head -n 1
	t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow $kind 8"
	at
	look /dev/mapper/snap 0 24
	mark /dev/mapper/snap 0 8 b
	mark /dev/mapper/org 128 8 c
	at
	t dmsetup remove snap
	raw "$B" 0 1 | od -A d -t x4 | head -n 1
done
say 'invalid: as snapshot, and as merge'
t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow P 8"
at
t dmsetup table snap
look /dev/mapper/snap 0 8
t dmsetup remove snap
t dmsetup create snap --table "0 256 snapshot-merge $A /dev/mapper/cow P 8"
at
t dmsetup remove snap
say 'a transient store there'
t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow N 8"
at
