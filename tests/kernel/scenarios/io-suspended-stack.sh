# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A suspended device holds what arrives through those above it.
stamp "$A" 256
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup create two --table '0 64 linear /dev/mapper/one 0
64 8 zero'
t dmsetup suspend one
behind reader look /dev/mapper/two 0 8
waits reader
look /dev/mapper/two 64 8
t dmsetup resume one
ends reader
t dmsetup suspend two
look /dev/mapper/one 0 8
behind reader look /dev/mapper/two 0 8
waits reader
t dmsetup suspend one
t dmsetup resume two
waits reader
t dmsetup resume one
ends reader
