# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: a leg that is to be made anew.
# Linux 6.1 differs: an array that has not begun says idle and all in sync.
pieces 3 256 2048
stamp /dev/mapper/d0 2048
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
t dmsetup remove it
mark /dev/mapper/d1 0 2048 o
t dmsetup create it --notable
t dmsetup load it --table "0 2048 raid raid1 5 0 rebuild 1 region_size 64 2 $(both 2)"
t dmsetup status --inactive it
t dmsetup table --inactive it
t dmsetup resume it
rests it
look /dev/mapper/d1 0 2048
super /dev/mapper/m1
t dmsetup table it
t dmsetup remove it
say 'another device in its place, without saying so'
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 1) /dev/mapper/m2 /dev/mapper/d2" && {
	rests it
	look /dev/mapper/d2 0 2048
	t dmsetup remove it
}
say 'and saying so'
dd if=/dev/zero of=/dev/mapper/m2 bs=64K count=2 oflag=direct status=none
t dmsetup create it --table "0 2048 raid raid1 5 0 rebuild 1 region_size 64 2 $(both 1) /dev/mapper/m2 /dev/mapper/d2"
rests it
look /dev/mapper/d2 0 2048
super /dev/mapper/m0
super /dev/mapper/m2
t dmsetup remove it
say 'all of them'
t dmsetup create it --table "0 2048 raid raid1 7 0 rebuild 0 rebuild 1 region_size 64 2 $(both 2)" && { rests it; dmsetup remove it; }
