# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: what is found of an array that was written to when the machine stopped: its metadata are copied while it is in use.
pieces 4 256 2048
stamp /dev/mapper/d0 2048
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
unmarked /dev/mapper/m0
mark /dev/mapper/it 640 8 x
for leg in 0 1; do
	dd if=/dev/mapper/m$leg of=/dev/mapper/m$((leg + 2)) bs=64K count=2 iflag=direct oflag=direct status=none
	dd if=/dev/mapper/d$leg of=/dev/mapper/d$((leg + 2)) bs=64K count=16 iflag=direct oflag=direct status=none
done
mark /dev/mapper/d3 640 4 lost
mark /dev/mapper/d3 1024 4 other
bits /dev/mapper/m2
super /dev/mapper/m2
t dmsetup create copy --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2 2)"
rests copy
sleep 1
dmsetup status copy
look /dev/mapper/d3 640 8
look /dev/mapper/d3 1020 12
t dmsetup remove copy
t dmsetup remove it
say 'while it is being made synchronous'
dd if=/dev/zero of=/dev/mapper/m0 bs=64K count=2 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/m1 bs=64K count=2 oflag=direct status=none
t dmsetup create it --notable
t dmsetup load it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
t dmsetup remove it
super /dev/mapper/m0
bits /dev/mapper/m0
