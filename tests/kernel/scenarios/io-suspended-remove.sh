# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Removing a suspended device: while nobody waits, and while somebody does.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup suspend one
t dmsetup remove one
t dmsetup create two --table '0 64 linear /dev/vda 0'
t dmsetup suspend two
behind reader look /dev/mapper/two 0 8
waits reader
t dmsetup remove two
t dmsetup info -c two
t dmsetup resume two
ends reader
t dmsetup remove two
