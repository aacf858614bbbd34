# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A store with more than one area of entries.
BS=4K
stamp "$A" 1024
bytes() { raw "$B" "$1" "$2" | od -A d -t x8 -v | grep -v '0000000000000000 0000000000000000$'; }
t dmsetup create snap --table "0 1024 snapshot $A $B P 1"
t dmsetup create org --table "0 1024 snapshot-origin $A"
for i in 104 120 136; do mark /dev/mapper/org "$i" 8 a; done
t dmsetup status snap
mark /dev/mapper/org 200 8 b
t dmsetup status snap
mark /dev/mapper/org 0 8 c
t dmsetup status snap
bytes 0 2
bytes 34 1
look "$B" 30 20
t dmsetup remove snap
t dmsetup create snap --table "0 1024 snapshot $A $B P 1"
t dmsetup status snap
look /dev/mapper/snap 0 256
