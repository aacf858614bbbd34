# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Flushes and durable writes go through every type of line, on every device below.
t dmsetup create one --table '0 64 linear /dev/vda 0
64 64 striped 2 8 /dev/vda 64 /dev/vdb 0
128 8 zero'
t dmsetup create two --table '0 136 linear /dev/mapper/one 0'
sectors 0 136 | t dd of=/dev/mapper/two bs=4096 iflag=fullblock conv=notrunc,fsync status=none
sectors 0 8 | t dd of=/dev/mapper/two bs=512 iflag=fullblock oflag=direct,dsync conv=notrunc status=none
t sync /dev/mapper/two
t blockdev --flushbufs /dev/mapper/two
look "$A" 0 96
look "$B" 0 32
t dmsetup create three --table '0 8 error'
t sync /dev/mapper/three
t dmsetup create four --table '0 8 zero
8 8 error'
t dd if=/dev/zero of=/dev/mapper/four bs=4096 count=1 conv=notrunc,fsync status=none
