# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A store that grows.
BS=4K
stamp "$A" 256
t dmsetup create cow --table "0 32 linear $B 0"
t dmsetup create org --table "0 256 snapshot-origin $A"
t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow PO 8"
mark /dev/mapper/org 0 16 a
t dmsetup status snap
t dmsetup suspend snap
t dmsetup load cow --table "0 64 linear $B 0"
t dmsetup resume cow
t dmsetup resume snap
t dmsetup status snap
mark /dev/mapper/org 16 16 b
t dmsetup status snap
look /dev/mapper/snap 0 64
say 'without a suspend of the snapshot'
t dmsetup load cow --table "0 96 linear $B 0"
t dmsetup resume cow
t dmsetup status snap
mark /dev/mapper/org 48 48 c
t dmsetup status snap
say 'an overflow is for good'
mark /dev/mapper/snap 112 8 d
t dmsetup status snap
t dmsetup load cow --table "0 512 linear $B 0"
t dmsetup resume cow
mark /dev/mapper/snap 112 8 d
t dmsetup status snap
mark /dev/mapper/org 200 8 e
t dmsetup status snap
