# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034,SC2046,SC2086
# In the words of words.sh: the arrays that arrays-make.sh has made are opened, and the leg that was lost is made equal.
pieces 8 256 2048
old() { dmsetup create $1 --table "0 2048 raid raid1 5 0 daemon_sleep 250 region_size 64 2 $2" && rests $1; }
dmsetup create r0 --table "0 2048 raid raid1 7 0 daemon_sleep 250 region_size 64 write_mostly 2 3 $(both 2) $(both 1 2)"
rests r0
for d in r0 d0 d1 d2; do look /dev/mapper/$d 0 2048; done
mark /dev/mapper/r0 1000 8 e
dmsetup remove r0
super /dev/mapper/m0
# Only what is marked is copied to the leg that was lost.
mark /dev/mapper/d4 1500 4 n
old r1 "$(both 2 3)"
unmarked /dev/mapper/m3
for d in r1 d4; do look /dev/mapper/$d 0 1400; done
look /dev/mapper/d4 1496 16
dmsetup remove r1
old r2 "$(both 2 5)"
unmarked /dev/mapper/m5
for d in r2 d5 d6; do look /dev/mapper/$d 0 2048; done
dmsetup remove r2
for i in 3 4 5; do super /dev/mapper/m$i; bitmap /dev/mapper/m$i; done
for i in 0 1 2 3 4 5 6 7; do dmsetup remove m$i; dmsetup remove d$i; done
