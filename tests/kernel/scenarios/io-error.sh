# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Error: every read and write fails; the lines around it work.
stamp "$A" 64
t dmsetup create one --table '0 16 linear /dev/vda 0
16 16 error
32 32 linear /dev/vda 32'
look /dev/mapper/one 0 16
look /dev/mapper/one 16 1
look /dev/mapper/one 8 16
BS=4096 look /dev/mapper/one 8 16
look /dev/mapper/one 31 1
look /dev/mapper/one 32 32
mark /dev/mapper/one 15 1 x
mark /dev/mapper/one 16 1 x
mark /dev/mapper/one 31 1 x
mark /dev/mapper/one 32 1 x
look "$A" 14 20
t dd if=/dev/mapper/one of=/dev/null bs=4096 count=2 status=none
t dd if=/dev/mapper/one of=/dev/null bs=4096 count=1 skip=2 status=none
t dd if=/dev/zero of=/dev/mapper/one bs=4096 count=1 seek=4 conv=notrunc,fsync status=none
t blkdiscard -o 8192 -l 8192 /dev/mapper/one
t blkdiscard -z -o 8192 -l 8192 /dev/mapper/one
t blkdiscard -z -o 0 -l 4096 /dev/mapper/one
look "$A" 0 10
t dmsetup create two --table '0 64 error'
size /dev/mapper/two
look /dev/mapper/two 0 8
