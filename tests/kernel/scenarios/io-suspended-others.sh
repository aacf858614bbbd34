# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A flush, a discard, zeroes and a direct read wait in a suspended device; what needs no I/O does not.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup suspend one
behind zeroes blkdiscard -z -o 4096 -l 4096 /dev/mapper/one
behind reader look /dev/mapper/one 32 8
waits zeroes
waits reader
size /dev/mapper/one
t blockdev --getss --getro /dev/mapper/one
t dmsetup table one
t dmsetup status one
t dmsetup deps one
t dmsetup resume one
ends zeroes
ends reader
look /dev/mapper/one 0 32
t dmsetup suspend one
behind discard blkdiscard -o 8192 -l 4096 /dev/mapper/one
waits discard
t dmsetup resume one
ends discard
look "$A" 0 32
