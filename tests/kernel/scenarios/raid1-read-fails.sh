# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: what one leg cannot read, another one can, and it is written back.
pieces 2 256 2048
stamp /dev/mapper/d0 2048
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
t dmsetup suspend it
say 'the first leg fails to read and to write some sectors'
t dmsetup suspend d0
t dmsetup load d0 --table "0 640 linear $A 1024
640 64 error
704 1344 linear $A 1728"
t dmsetup resume d0
t dmsetup resume it
rests it
look /dev/mapper/it 0 16
dmsetup status it
BS=4K look /dev/mapper/it 640 16
sleep 1
dmsetup status it
look /dev/mapper/it 640 16
super /dev/mapper/m1
t dmsetup remove it
t dmsetup suspend d0
t dmsetup load d0 --table "0 2048 linear $A 1024"
t dmsetup resume d0
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
look /dev/mapper/d0 632 24
t dmsetup remove it
