# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A transient snapshot: nothing but the chunks is in its store, which begins anew with the next table.
BS=4K
stamp "$A" 1024
t dmsetup create real --table "0 1024 linear $A 0"
t dmsetup create cow --table "0 256 linear $B 0"
t dmsetup create org --table '0 1024 snapshot-origin /dev/mapper/real'
t dmsetup create snap --table '0 1024 snapshot /dev/mapper/real /dev/mapper/cow N 16'
t dmsetup table snap
mark /dev/mapper/org 8 8 a
mark /dev/mapper/snap 32 8 b
t dmsetup status snap
look /dev/mapper/org 0 48
look /dev/mapper/snap 0 48
look /dev/mapper/cow 0 32
t dmsetup suspend snap
t dmsetup resume snap
t dmsetup load snap --table '0 1024 snapshot /dev/mapper/real /dev/mapper/cow N 16'
t dmsetup resume snap
t dmsetup status snap
look /dev/mapper/snap 0 48
t dmsetup remove snap
t dmsetup create snap --table '0 1024 snapshot /dev/mapper/real /dev/mapper/cow n 16'
t dmsetup status snap
look /dev/mapper/snap 0 48
