# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# deps of one and of all, in each form, of both slots, with one device used twice.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup create two --table '0 64 striped 2 8 /dev/vda 64 /dev/vdb 0'
t dmsetup create three --table '0 64 linear /dev/mapper/one 0
64 64 linear /dev/mapper/two 0
128 64 linear /dev/mapper/one 0'
t dmsetup create four --table '0 8 zero'
t dmsetup deps
t dmsetup deps three
t dmsetup deps -o devname three
t dmsetup deps -o blkdevname three
t dmsetup deps -o devno three
t dmsetup deps -o nonsense three
t dmsetup deps four
t dmsetup deps nothing
t dmsetup load four --table '0 8 linear /dev/vdb 100'
t dmsetup deps four
t dmsetup deps --inactive four
t dmsetup deps one two
t dmsetup resume four
t dmsetup deps four
