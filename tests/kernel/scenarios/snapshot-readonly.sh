# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Read-only snapshots and origins.
BS=4K
stamp "$A" 256
t dmsetup create cow --table "0 512 linear $B 0"
t dmsetup create real --table "0 256 linear $A 0"
t dmsetup create org --table '0 256 snapshot-origin /dev/mapper/real'
t dmsetup create --readonly snap --table '0 256 snapshot /dev/mapper/real /dev/mapper/cow P 8'
t dmsetup info -c --noheadings -o name,attr snap
mark /dev/mapper/org 0 8 a
t dmsetup status snap
look /dev/mapper/snap 0 16
t dmsetup remove snap
t dmsetup remove org
t dmsetup create --readonly org --table '0 256 snapshot-origin /dev/mapper/real'
t dmsetup create snap --table '0 256 snapshot /dev/mapper/real /dev/mapper/cow P 8'
mark /dev/mapper/snap 8 8 b
look /dev/mapper/snap 0 16
t dmsetup status snap
