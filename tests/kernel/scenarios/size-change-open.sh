# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A device that is open grows and shrinks.
stamp "$A" 256
t dmsetup create one --table '0 64 linear /dev/vda 0'
exec 3</dev/mapper/one
t blockdev --getsz /dev/mapper/one
t dmsetup load one --table '0 128 linear /dev/vda 0'
t dmsetup resume one
t blockdev --getsz /dev/mapper/one
look /dev/mapper/one 120 8
t dmsetup load one --table '0 16 linear /dev/vda 0'
t dmsetup resume one
t blockdev --getsz /dev/mapper/one
look /dev/mapper/one 8 16
look /dev/mapper/one 16 1
dd bs=8192 iflag=direct status=none <&3 | wc -c
exec 3<&-
t dmsetup load one --table '0 32 zero'
t dmsetup resume one
t blockdev --getsz /dev/mapper/one
