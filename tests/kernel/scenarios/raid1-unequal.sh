# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1 without metadata, on legs that are not equal: dmuse makes them so, Linux does not; with nosync neither does.
pieces 2 256 512
stamp /dev/mapper/d0 512
t dmsetup create it --table '0 512 raid raid1 3 0 region_size 64 2 - /dev/mapper/d0 - /dev/mapper/d1'
rests it
look /dev/mapper/d1 0 512
t dmsetup remove it
mark /dev/mapper/d0 64 4 a
t dmsetup create it --table '0 512 raid raid1 4 0 nosync region_size 64 2 - /dev/mapper/d0 - /dev/mapper/d1'
rests it
look /dev/mapper/d1 60 16
t dmsetup remove it
t dmsetup create it --table '0 512 raid raid1 4 0 sync region_size 64 2 - /dev/mapper/d0 - /dev/mapper/d1'
rests it
look /dev/mapper/d1 60 16
t dmsetup remove it
