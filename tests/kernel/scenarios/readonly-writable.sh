# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A stack of read-only devices becomes writable, as LVM does that: all tables are loaded, then resumed from the bottom up.
stamp "$A" 64
t dmsetup create low --readonly --table '0 64 linear /dev/vda 0'
t dmsetup create high --readonly --table '0 64 linear /dev/mapper/low 0'
t dmsetup load low --table '0 64 linear /dev/vda 0'
t dmsetup load high --table '0 64 linear /dev/mapper/low 0'
t dmsetup info -c
t dmsetup resume low
t dmsetup resume high
t dmsetup info -c
mark /dev/mapper/high 0 8 x
look "$A" 0 8
