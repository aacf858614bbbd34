# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# wipe_table loads an error table.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup load one --table '0 32 zero'
t dmsetup wipe_table one
t dmsetup info one
t dmsetup table one
t dmsetup table --inactive one
look /dev/mapper/one 0 8
mark /dev/mapper/one 0 1
t dmsetup deps one
t dmsetup wipe_table nothing
t dmsetup wipe_table one
t dmsetup create two --notable
t dmsetup wipe_table two
t dmsetup table two
t dmsetup wipe_table one two --noflush --nolockfs
t dmsetup table
