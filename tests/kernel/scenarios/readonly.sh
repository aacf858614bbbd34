# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A read-only device: its flag, its table, writes to it, one that is mapped to it, and changing that.
stamp "$A" 64
t dmsetup create one --readonly --table '0 64 linear /dev/vda 0'
t dmsetup info one
t blockdev --getro /dev/mapper/one
look /dev/mapper/one 0 8
mark /dev/mapper/one 0 8 x
t dd if=/dev/zero of=/dev/mapper/one bs=512 count=1 conv=notrunc status=none
t dmsetup load one --table '0 64 linear /dev/vda 0'
t dmsetup info one
t dmsetup resume one
t dmsetup info one
t blockdev --getro /dev/mapper/one
mark /dev/mapper/one 0 8 x
look "$A" 0 10
t dmsetup load --readonly one --table '0 64 linear /dev/vda 0'
t dmsetup resume one
t blockdev --getro /dev/mapper/one
t dmsetup info -c one
t blockdev --setrw /dev/mapper/one
t blockdev --setro "$B"
t dmsetup create two --table '0 64 linear /dev/vdb 0'
t dmsetup create two --readonly --table '0 64 linear /dev/vdb 0'
t dmsetup remove two
t blockdev --setrw "$B"
t blockdev --getro "$B"
