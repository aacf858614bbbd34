# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Open counts: readers, writers, tables above; they are right as soon as a close has returned.
t dmsetup create one --table '0 64 zero'
count() { dmsetup info -c --noheadings -o open "$1"; }
count one
exec 3</dev/mapper/one
count one
exec 4<>/dev/mapper/one
count one
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
count one
t dmsetup create three --table "0 32 linear /dev/mapper/one 0
32 32 linear /dev/mapper/one 32"
count one
t dmsetup load two --table '0 64 linear /dev/mapper/one 0'
count one
t dmsetup clear two
count one
exec 3<&-
count one
exec 4<&-
count one
t dmsetup remove three
count one
t dmsetup remove two
count one
n=0
while [ $n -lt 20 ]; do
	dd if=/dev/mapper/one bs=512 count=1 status=none >/dev/null
	count one
	n=$((n + 1))
done | sort | uniq -c | sed 's/^ *//'
t dmsetup info --noopencount one
