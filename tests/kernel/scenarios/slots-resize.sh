# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A device grows and shrinks, and those above notice in their own time.
stamp "$A" 256
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
t dmsetup load one --table '0 128 linear /dev/vda 0'
t dmsetup resume one
size /dev/mapper/one
t dmsetup load two --table '0 128 linear /dev/mapper/one 0'
t dmsetup resume two
size /dev/mapper/two
look /dev/mapper/two 120 8
t dmsetup load one --table '0 32 linear /dev/vda 0'
t dmsetup resume one
size /dev/mapper/one
size /dev/mapper/two
look /dev/mapper/two 24 8
look /dev/mapper/two 32 8
t dmsetup table
t dmsetup load one --table '0 128 linear /dev/vda 128'
t dmsetup resume one
look /dev/mapper/two 0 128
