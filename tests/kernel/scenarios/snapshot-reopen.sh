# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A persistent store is opened again: its own chunk size counts, whatever the words say; P and PO read the same.
BS=4K
stamp "$A" 512
t dmsetup create org --table "0 512 snapshot-origin $A"
t dmsetup create snap --table "0 512 snapshot $A $B P 16"
mark /dev/mapper/org 0 8 a
mark /dev/mapper/snap 40 8 b
mark /dev/mapper/org 200 24 c
t dmsetup status snap
t dmsetup remove snap
for words in 'P 16' 'PO 16' 'P 8' 'PO 64' 'P 0' 'p 16'; do
	t dmsetup create snap --table "0 512 snapshot $A $B $words" || continue
	t dmsetup table snap
	t dmsetup status snap
	look /dev/mapper/snap 0 64
	t dmsetup remove snap
done
say 'what is written now is added'
t dmsetup create snap --table "0 512 snapshot $A $B P 16"
mark /dev/mapper/org 296 8 d
t dmsetup status snap
t dmsetup remove snap
raw "$B" 0 32 | od -A d -t x8 -v | grep -v '0000000000000000 0000000000000000$'
say 'a transient one takes no notice of what is there'
t dmsetup create snap --table "0 512 snapshot $A $B N 16"
t dmsetup status snap
look /dev/mapper/snap 0 16
t dmsetup remove snap
say 'the origin was written to without the snapshot'
mark /dev/mapper/org 0 16 e
mark /dev/mapper/org 400 8 f
t dmsetup create snap --table "0 512 snapshot $A $B P 16"
look /dev/mapper/snap 0 16
look /dev/mapper/snap 400 8
