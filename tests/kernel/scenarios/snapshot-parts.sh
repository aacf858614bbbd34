# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Reads and writes that are parts of chunks, or more than one.
stamp "$A" 512
dd if=/dev/zero of="$B" bs=64K count=4 oflag=direct conv=notrunc status=none
t dmsetup create org --table "0 512 snapshot-origin $A"
t dmsetup create snap --table "0 512 snapshot $A $B P 16"
BS=512 mark /dev/mapper/snap 5 1 a
look /dev/mapper/snap 0 33
BS=512 mark /dev/mapper/snap 15 2 b
look /dev/mapper/snap 0 33
BS=512 mark /dev/mapper/org 40 1 c
look /dev/mapper/snap 32 16
look /dev/mapper/org 32 16
t dmsetup status snap
mark /dev/mapper/snap 100 100 d
look /dev/mapper/snap 90 128
look /dev/mapper/org 90 128
t dmsetup status snap
say 'a chunk that both write to'
BS=512 mark /dev/mapper/org 256 3 e
BS=512 mark /dev/mapper/snap 258 3 f
BS=512 mark /dev/mapper/org 259 3 g
look /dev/mapper/snap 256 16
look /dev/mapper/org 256 16
say 'the end'
BS=512 mark /dev/mapper/org 511 1 h
BS=512 mark /dev/mapper/snap 510 1 i
look /dev/mapper/snap 496 16
look /dev/mapper/snap 504 16
t dmsetup status snap
