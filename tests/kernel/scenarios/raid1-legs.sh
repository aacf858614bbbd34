# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: a leg more, a leg less, and legs at other places.
# Linux 6.1 differs: a leg more is refused while the array is loaded; the number of legs in the superblocks changes at another moment.
pieces 3 256 2048
stamp /dev/mapper/d0 2048
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
say 'a third leg'
t dmsetup load it --table "0 2048 raid raid1 5 0 rebuild 2 region_size 64 3 $(both 3)"
t dmsetup resume it
rests it
look /dev/mapper/d2 0 2048
t dmsetup load it --table "0 2048 raid raid1 3 0 region_size 64 3 $(both 3)"
t dmsetup resume it
rests it
super /dev/mapper/m2
say 'without the first one'
t dmsetup load it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2 1)"
t dmsetup resume it
rests it
super /dev/mapper/m1
super /dev/mapper/m2
mark /dev/mapper/it 64 4 x
look /dev/mapper/d0 60 12
look /dev/mapper/d2 60 12
say 'the other way round'
t dmsetup load it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 1 2) $(both 1 1)"
t dmsetup resume it
rests it
super /dev/mapper/m1
say 'one leg'
t dmsetup load it --table "0 2048 raid raid1 3 0 region_size 64 1 $(both 1 1)"
t dmsetup resume it
rests it
super /dev/mapper/m1
say 'two, with delta_disks'
dd if=/dev/zero of=/dev/mapper/m2 bs=64K count=2 oflag=direct status=none
t dmsetup load it --table "0 2048 raid raid1 7 0 rebuild 1 region_size 64 delta_disks 1 2 $(both 2 1)" && { t dmsetup resume it; rests it; t dmsetup table it; }
t dmsetup remove it
