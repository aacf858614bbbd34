# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# The snapshot and its origin get new tables: the exceptions stay, whatever the words say.
BS=4K
stamp "$A" 256
t dmsetup create cow --table "0 512 linear $B 0"
t dmsetup create org --table "0 256 snapshot-origin $A"
t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow P 8"
mark /dev/mapper/org 0 8 a
mark /dev/mapper/snap 32 8 b
t dmsetup load snap --table "0 256 snapshot $A /dev/mapper/cow PO 32"
t dmsetup resume snap
t dmsetup table snap
t dmsetup status snap
look /dev/mapper/snap 0 64
t dmsetup load org --table "0 256 snapshot-origin $A"
t dmsetup resume org
mark /dev/mapper/org 8 8 c
look /dev/mapper/snap 0 64
t dmsetup load snap --table "0 256 linear $A 0"
t dmsetup resume snap
mark /dev/mapper/org 16 8 d
t dmsetup load snap --table "0 256 snapshot $A /dev/mapper/cow P 8"
t dmsetup resume snap
t dmsetup status snap
look /dev/mapper/snap 0 64
t dmsetup measure snap
t dmsetup measure org
