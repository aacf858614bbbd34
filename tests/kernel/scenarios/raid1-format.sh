# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1 with metadata: the superblocks and the bitmaps, new ones and after writes, and the array is opened again.
# Linux 6.1 differs: an array that has not begun says idle, and its legs are not yet in sync; it counts one event less.
pieces 2 256 2048
stamp /dev/mapper/d0 2048
t dmsetup create it --notable
t dmsetup load it --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $(both 2)"
t dmsetup status --inactive it
super /dev/mapper/m0
t dmsetup resume it
rests it
echo "events: $(dmsetup info -c --noheadings -o events it)"
unmarked /dev/mapper/m0
super /dev/mapper/m0
super /dev/mapper/m1
bitmap /dev/mapper/m0
bitmap /dev/mapper/m1
look /dev/mapper/d1 0 2048
t dmsetup remove it
super /dev/mapper/m0
bitmap /dev/mapper/m1
say 'opened again: nothing is copied'
mark /dev/mapper/d0 100 2 a
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
look /dev/mapper/d1 96 16
unmarked /dev/mapper/m0
say 'a write marks its region'
mark /dev/mapper/it 640 8 x
bits /dev/mapper/m0
bits /dev/mapper/m1
bitmap /dev/mapper/m0
super /dev/mapper/m0
t dmsetup suspend it
bits /dev/mapper/m0
t dmsetup resume it
t dmsetup remove it
bits /dev/mapper/m0
say 'opened with sync, all is copied'
t dmsetup create it --table "0 2048 raid raid1 4 0 sync region_size 64 2 $(both 2)"
rests it
look /dev/mapper/d1 96 16
t dmsetup remove it
say 'new metadata, and nosync'
dd if=/dev/zero of=/dev/mapper/m0 bs=64K count=2 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/m1 bs=64K count=2 oflag=direct status=none
mark /dev/mapper/d0 100 2 b
t dmsetup create it --table "0 2048 raid raid1 6 0 nosync daemon_sleep 250 region_size 64 2 $(both 2)"
rests it
look /dev/mapper/d1 96 16
unmarked /dev/mapper/m0
super /dev/mapper/m0
t dmsetup remove it
say 'a region of the default size'
dd if=/dev/zero of=/dev/mapper/m0 bs=64K count=2 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/m1 bs=64K count=2 oflag=direct status=none
t dmsetup create it --table "0 2048 raid raid1 1 0 2 $(both 2)"
rests it
t dmsetup table it
bitmap /dev/mapper/m0
t dmsetup remove it
