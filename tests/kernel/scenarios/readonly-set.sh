# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# blockdev --setro on a mapped device, with a writer that has it open and one that opens it later.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t blockdev --setro /dev/mapper/one
t blockdev --getro /dev/mapper/one
mark /dev/mapper/one 0 8
t dmsetup info -c one
t dmsetup info one
t blockdev --setrw /dev/mapper/one
t blockdev --getro /dev/mapper/one
mark /dev/mapper/one 0 8
look /dev/mapper/one 0 9
t dmsetup suspend one
t dmsetup resume one
t dmsetup info one
