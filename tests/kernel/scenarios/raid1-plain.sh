# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1 without metadata: writes go to all legs; what a reload does.
pieces 3 256 512
stamp /dev/mapper/d0 512
stamp /dev/mapper/d1 512
t dmsetup create it --table '0 512 raid raid1 3 0 region_size 64 2 - /dev/mapper/d0 - /dev/mapper/d1'
rests it
t dmsetup table it
mark /dev/mapper/it 4 30 x
mark /dev/mapper/it 511 1 y
look /dev/mapper/it 0 512
look /dev/mapper/d0 0 512
look /dev/mapper/d1 0 512
say 'through a suspend it stays as it is'
t dmsetup suspend it
dmsetup status it
t dmsetup resume it
rests it
stamp /dev/mapper/d2 512
say 'three legs, which are taken for equal'
t dmsetup load it --table '0 512 raid raid1 2 0 nosync 3 - /dev/mapper/d0 - /dev/mapper/d1 - /dev/mapper/d2'
t dmsetup resume it
rests it
look /dev/mapper/d2 0 512
mark /dev/mapper/it 100 4 z
look /dev/mapper/d2 0 512
say 'fewer'
t dmsetup load it --table '0 512 raid raid1 2 0 nosync 2 - /dev/mapper/d0 - -'
t dmsetup resume it
rests it
mark /dev/mapper/it 100 4 w
look /dev/mapper/d0 96 16
look /dev/mapper/it 96 16
t dmsetup load it --table '0 512 raid raid1 1 0 1 - /dev/mapper/d0'
t dmsetup resume it
rests it
look /dev/mapper/it 96 16
t dmsetup remove it
