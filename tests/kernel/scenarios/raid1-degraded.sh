# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1 with a leg that is not there, and one that comes back: what was written meanwhile is copied to it, and no more.
pieces 2 256 2048
stamp /dev/mapper/d0 2048
t dmsetup create it --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $(both 2)"
rests it
unmarked /dev/mapper/m0
t dmsetup remove it
say 'without the second leg'
t dmsetup create it --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $(both 1) - -"
rests it
t dmsetup table it
mark /dev/mapper/it 640 8 x
look /dev/mapper/it 632 24
look /dev/mapper/d0 632 24
look /dev/mapper/d1 632 24
bits /dev/mapper/m0
super /dev/mapper/m0
t dmsetup remove it
bits /dev/mapper/m0
say 'both again; what nobody knows of is not copied'
mark /dev/mapper/d1 1024 4 n
t dmsetup create it --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $(both 2)"
rests it
look /dev/mapper/d1 0 2048
super /dev/mapper/m0
super /dev/mapper/m1
t dmsetup remove it
say 'without the first leg'
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 - - $(both 1 1)"
rests it
mark /dev/mapper/it 0 8 y
look /dev/mapper/it 0 16
t dmsetup remove it
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
look /dev/mapper/it 0 16
look /dev/mapper/d0 0 16
t dmsetup remove it
