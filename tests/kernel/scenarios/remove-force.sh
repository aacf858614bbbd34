# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A forced removal replaces the table by an error table for those who have the device open.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
exec 3</dev/mapper/one
dd bs=512 count=1 status=none iflag=direct <&3 | tr -d ' '
t dmsetup remove --force one
t dmsetup table one
dd bs=512 count=1 status=none iflag=direct <&3 2>&1 | tr -d ' '
exec 3<&-
t dmsetup info -c one
t dmsetup remove one
t dmsetup create two --table '0 64 linear /dev/vda 0'
t dmsetup remove -f two
t dmsetup ls
t dmsetup create three --table '0 64 linear /dev/vda 0'
t dmsetup create four --table '0 64 linear /dev/mapper/three 0'
t dmsetup remove --force three
t dmsetup table
look /dev/mapper/four 0 8
t dmsetup remove_all --force
t dmsetup ls
