# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Zero: reads zeros, drops writes, and ends.
# Linux 6.1 differs: zero cannot discard.
t dmsetup create one --table '0 64 zero'
look /dev/mapper/one 0 64
mark /dev/mapper/one 0 64 x
look /dev/mapper/one 0 64
look /dev/mapper/one 63 2
look /dev/mapper/one 64 1
t dd if=/dev/zero of=/dev/mapper/one bs=4096 count=8 conv=notrunc,fsync status=none
t cmp -n 32768 /dev/mapper/one /dev/zero
t blkdiscard /dev/mapper/one
t blkdiscard -z /dev/mapper/one
t dmsetup create huge --table '0 1125899906842624 zero'
size /dev/mapper/huge
look /dev/mapper/huge 1125899906842620 4
look /dev/mapper/huge 1125899906842620 8
