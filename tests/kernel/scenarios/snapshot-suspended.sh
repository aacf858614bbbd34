# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# What goes on while one of the devices is suspended.
BS=4K
stamp "$A" 1024
t dmsetup create real --table "0 1024 linear $A 0"
t dmsetup create cow --table "0 512 linear $B 0"
t dmsetup create org --table '0 1024 snapshot-origin /dev/mapper/real'
t dmsetup create snap --table '0 1024 snapshot /dev/mapper/real /dev/mapper/cow P 8'
say 'the snapshot'
t dmsetup suspend snap
mark /dev/mapper/org 0 8 a
t dmsetup status snap
t dmsetup resume snap
look /dev/mapper/snap 0 8
say 'the origin'
t dmsetup suspend org
mark /dev/mapper/snap 8 8 b
t dmsetup status
t dmsetup resume org
say 'the store'
t dmsetup suspend cow
behind write mark /dev/mapper/org 24 8 d
waits write
look /dev/mapper/org 0 32
t dmsetup resume cow
ends write
look /dev/mapper/org 0 32
look /dev/mapper/snap 0 32
say 'what the origin is mapped to'
t dmsetup suspend real
behind write mark /dev/mapper/snap 32 8 f
waits write
t dmsetup resume real
ends write
say 'the origin gets another table, and is not there'
t dmsetup load org --table '0 1024 linear /dev/mapper/real 0'
t dmsetup resume org
mark /dev/mapper/org 48 8 h
look /dev/mapper/snap 48 8
t dmsetup remove org
look /dev/mapper/snap 24 24
t dmsetup status snap
