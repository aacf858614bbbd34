# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid0: chunks in turn, with metadata and without, also where the legs are not multiples of it.
# Linux 6.1 differs: a line that is no multiple of the chunk keeps its last sectors.
pieces 3 256 1024
for legs in 2 3; do
	words=$(seq 0 $((legs - 1)) | sed 's,.*,- /dev/mapper/d&,' | paste -s -d ' ')
	t dmsetup create it --table "0 $((legs * 1024)) raid raid0 1 16 $legs $words"
	dmsetup status it
	t dmsetup table it
	stamp /dev/mapper/it $((legs * 1024))
	look /dev/mapper/d0 0 64
	look /dev/mapper/d1 0 64
	look /dev/mapper/it 10 200
	t dmsetup suspend it
	t dmsetup resume it
	t dmsetup remove it
done
say 'legs that are no multiples of the chunk'
t dmsetup create it --table "0 2000 raid raid0 1 16 2 - /dev/mapper/d0 - /dev/mapper/d1" && {
	dmsetup status it
	size /dev/mapper/it
	t dmsetup remove it
}
say 'with metadata'
t dmsetup create it --table "0 2048 raid raid0 1 16 2 $(both 2)"
dmsetup status it
super /dev/mapper/m0
t dmsetup remove it
t dmsetup create it --table "0 2048 raid raid0 1 16 2 $(both 2)"
dmsetup status it
super /dev/mapper/m1
t dmsetup remove it
say 'a leg that fails'
t dmsetup load d1 --table "0 64 error
64 960 linear $B 1088"
t dmsetup resume d1
t dmsetup create it --table "0 2048 raid raid0 1 16 2 - /dev/mapper/d0 - /dev/mapper/d1"
BS=8K mark /dev/mapper/it 16 16 x
BS=8K look /dev/mapper/it 16 16
sleep 1
dmsetup status it
look /dev/mapper/it 0 16
mark /dev/mapper/it 0 16 y
dmsetup status it
t dmsetup remove it
