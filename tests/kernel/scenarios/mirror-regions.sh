# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# mirror: which sizes of regions there may be, and how many regions that makes.
try() {
	t dmsetup create it --table "0 $1 mirror core 2 $2 nosync 2 $A 0 $B 0" || return 0
	dmsetup status it
	dmsetup remove it
}
for size in 0 1 2 3 4 5 8 12 16 64 100 128 129 256 1024 x -8 4294967296; do try 128 $size; done
for length in 1 2 7 8 9 100 127 128 129 1000; do try $length 8; done
say 'the log needs room for a bit each'
t dmsetup create small --table "0 3 linear $B 0"
t dmsetup create it --table '0 20000 mirror disk 2 /dev/mapper/small 2 2 '$A' 0 '$B' 1024'
t dmsetup create it --table '0 16000 mirror disk 3 /dev/mapper/small 4 nosync 2 '$A' 0 '$B' 1024'
dmsetup status it
t dmsetup remove it
t dmsetup create it --table '0 128 mirror disk 3 /dev/mapper/small 8 nosync 2 '$A' 0 '$B' 1024'
dmsetup status it
dmsetup remove it
dmsetup remove small
