# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: it becomes larger, and smaller.
# Linux 6.1 differs: an array that has not begun says idle and all in sync; the count of events that were cleared is another one.
pieces 2 256 4096
stamp /dev/mapper/d0 4096
t dmsetup create it --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $(both 2)"
rests it
unmarked /dev/mapper/m0
look /dev/mapper/d1 2040 16
t dmsetup load it --table "0 4096 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $(both 2)"
t dmsetup status --inactive it
t dmsetup resume it
rests it
size /dev/mapper/it
look /dev/mapper/d1 0 4096
unmarked /dev/mapper/m0
super /dev/mapper/m0
bitmap /dev/mapper/m0
t dmsetup load it --table "0 1024 raid raid1 3 0 region_size 64 2 $(both 2)"
t dmsetup resume it
rests it
size /dev/mapper/it
super /dev/mapper/m0
bitmap /dev/mapper/m1
t dmsetup load it --table "0 1024 raid raid1 3 0 region_size 128 2 $(both 2)"
t dmsetup resume it
rests it
bitmap /dev/mapper/m1
t dmsetup remove it
