# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# What is merged changes the origin for the other snapshots of it.
BS=4K
stamp "$A" 1024
for i in 0 1 2; do dmsetup create cow$i --table "0 1024 linear $B $((i * 1024))"; done
t dmsetup create org --table "0 1024 snapshot-origin $A"
t dmsetup create s0 --table "0 1024 snapshot $A /dev/mapper/cow0 P 8"
t dmsetup create s1 --table "0 1024 snapshot $A /dev/mapper/cow1 P 32"
mark /dev/mapper/org 104 56 a
mark /dev/mapper/s0 200 24 b
t dmsetup create s2 --table "0 1024 snapshot $A /dev/mapper/cow2 N 16"
t dmsetup status
t dmsetup suspend s0
t dmsetup suspend org
t dmsetup load org --table "0 1024 snapshot-merge $A /dev/mapper/cow0 P 8"
t dmsetup load s0 --table '0 1024 error'
t dmsetup resume org
t dmsetup resume s0
count=0
while [ $count -lt 200 ]; do
	set -- $(dmsetup status org)
	[ "${4%/*}" != "$5" ] || break
	sleep 0.05
	count=$((count + 1))
done
t dmsetup status
for d in org s1 s2; do look /dev/mapper/$d 96 144; done
mark /dev/mapper/org 704 8 c
t dmsetup status
