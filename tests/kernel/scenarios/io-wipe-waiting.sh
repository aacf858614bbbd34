# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# wipe_table and forced removal make waiting requests fail.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup suspend one
behind reader look /dev/mapper/one 0 8
waits reader
t dmsetup wipe_table one
ends reader
t dmsetup table one
t dmsetup info -c one
