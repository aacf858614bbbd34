# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A read-only table in one slot, a writable one in the other, and what info prints for each.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup load --readonly one --table '0 64 linear /dev/vda 0'
t dmsetup info one
t dmsetup info --inactive one
mark /dev/mapper/one 0 4 x
exec 3<>/dev/mapper/one
t dmsetup resume one
dd if=/dev/zero bs=512 count=1 oflag=direct status=none 2>&1 >&3
exec 3<&-
mark /dev/mapper/one 4 4 y
look "$A" 0 10
t dmsetup clear one
t dmsetup load one --table '0 64 linear /dev/vda 0'
t dmsetup resume one
mark /dev/mapper/one 4 4 z
look "$A" 0 10
t blockdev --getro /dev/mapper/one
