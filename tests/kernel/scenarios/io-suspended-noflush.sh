# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# The same with --noflush and --nolockfs, and with a smaller table.
stamp "$A" 256
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup suspend --noflush --nolockfs one
behind reader look /dev/mapper/one 0 8
behind late look /dev/mapper/one 56 8
waits reader
waits late
t dmsetup load one --table '0 32 linear /dev/vda 128'
t dmsetup resume one
ends reader
ends late
t dmsetup load one --table '0 64 linear /dev/vda 64'
t dmsetup suspend --noflush one
behind writer mark /dev/mapper/one 0 4 x
waits writer
t dmsetup resume --noflush one
ends writer
look "$A" 60 10
