# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: a leg that refuses a write is dead, and that is recorded; a later resume tries it once more.
pieces 2 256 2048
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
stamp /dev/mapper/d0 2048
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 2)"
rests it
t dmsetup suspend it
t dmsetup suspend d1
t dmsetup load d1 --table "0 640 linear $B 1024
640 64 error
704 1344 linear $B 1728"
t dmsetup resume d1
t dmsetup resume it
rests it
mark /dev/mapper/it 100 8 w
dmsetup status it
mark /dev/mapper/it 640 8 x
sleep 1
dmsetup status it
look /dev/mapper/it 632 24
look /dev/mapper/d0 632 24
bits /dev/mapper/m0
super /dev/mapper/m0
super /dev/mapper/m1
mark /dev/mapper/it 1024 8 y
look /dev/mapper/d1 1024 16
bits /dev/mapper/m0
say 'the device works again'
t dmsetup load d1 --table "0 2048 linear $B 1024"
t dmsetup suspend d1
t dmsetup resume d1
sleep 1
dmsetup status it
t dmsetup suspend it
dmsetup status it
t dmsetup resume it
rests it
sleep 1
look /dev/mapper/d1 632 24
look /dev/mapper/d1 1024 16
dmsetup status it
super /dev/mapper/m0
super /dev/mapper/m1
t dmsetup remove it
say 'the last leg stays, and says that it cannot'
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 64 2 $(both 1) - -"
rests it
t dmsetup suspend it
t dmsetup load d0 --table "0 640 linear $A 1024
640 64 error
704 1344 linear $A 1728"
t dmsetup suspend d0
t dmsetup resume d0
t dmsetup resume it
BS=4K mark /dev/mapper/it 640 8 z
BS=4K look /dev/mapper/it 632 24
dmsetup status it | cut -d ' ' -f 1-6
t dmsetup remove it
