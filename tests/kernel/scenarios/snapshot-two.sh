# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Several snapshots of one origin, with chunks of different sizes, made at different times.
BS=4K
stamp "$A" 1024
for i in 0 1 2; do t dmsetup create cow$i --table "0 512 linear $B $((i * 512))"; done
t dmsetup create org --table "0 1024 snapshot-origin $A"
t dmsetup create s0 --table "0 1024 snapshot $A /dev/mapper/cow0 P 8"
mark /dev/mapper/org 0 8 a
t dmsetup create s1 --table "0 1024 snapshot $A /dev/mapper/cow1 N 32"
mark /dev/mapper/org 8 8 b
t dmsetup create s2 --table "0 512 snapshot $A /dev/mapper/cow2 PO 8"
mark /dev/mapper/org 56 24 c
t dmsetup status
for s in s0 s1 s2; do look /dev/mapper/$s 0 96; done
look /dev/mapper/org 0 96
# Linux cuts writes to an origin at the chunks of the snapshots that it had when it was resumed.
t dmsetup suspend org
t dmsetup resume org
say 'a write that crosses chunks, and one behind the end of a snapshot'
BS=48K mark /dev/mapper/org 104 96 d
mark /dev/mapper/org 600 8 d
t dmsetup status
for s in s0 s1 s2; do look /dev/mapper/$s 96 112; done
say 'a snapshot is written to'
mark /dev/mapper/s1 304 8 f
for d in org s0 s1 s2; do look /dev/mapper/$d 288 32; done
say 'one goes'
t dmsetup remove s0
mark /dev/mapper/org 400 8 g
t dmsetup status
t dmsetup info -c --noheadings -o name,open,events
