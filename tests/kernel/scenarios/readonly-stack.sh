# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A writable table on a read-only device, and the other way round.
stamp "$A" 64
t dmsetup create low --readonly --table '0 64 linear /dev/vda 0'
t dmsetup create high --table '0 64 linear /dev/mapper/low 0'
t dmsetup create high --readonly --table '0 64 linear /dev/mapper/low 0'
t dmsetup info -c
look /dev/mapper/high 0 8
mark /dev/mapper/high 0 8 x
t dmsetup remove high
t dmsetup create other --table '0 64 linear /dev/vda 0'
t dmsetup create high --table '0 64 linear /dev/mapper/other 0'
t dmsetup load --readonly other --table '0 64 linear /dev/vda 0'
t dmsetup resume other
mark /dev/mapper/high 0 8 y
look "$A" 0 8
t dmsetup info -c
