# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Data written through a mapping is on the disk, and stays when the mapping is removed and created again.
sectors 0 2048 c >file
t dmsetup create one --table '0 1000 linear /dev/vda 1000
1000 1048 striped 2 4 /dev/vda 4000 /dev/vdb 4000'
t dd if=file of=/dev/mapper/one bs=64K iflag=fullblock conv=notrunc,fsync status=none
t cmp file /dev/mapper/one
md5sum </dev/mapper/one
t dmsetup remove one
look "$A" 1000 8
look "$A" 4000 12
look "$B" 4000 12
t dmsetup create again --readonly --table '0 1000 linear /dev/vda 1000
1000 1048 striped 2 4 /dev/vda 4000 /dev/vdb 4000'
t cmp file /dev/mapper/again
t dd if=/dev/mapper/again of=copy bs=7K status=none
t cmp file copy
t cmp -n 512000 -i 0:512000 file /dev/vda
