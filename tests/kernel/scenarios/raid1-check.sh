# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1: check counts what differs, repair makes it equal.
pieces 3 256 2048
stamp /dev/mapper/d0 2048
waits_for() {
	count=0
	while ! dmsetup status it | grep -q ' idle ' && [ $count -lt 150 ]; do sleep 0.1; count=$((count + 1)); done
	dmsetup status it
}
t dmsetup create it --table "0 2048 raid raid1 3 0 region_size 128 3 $(both 3)"
rests it
t dmsetup message it 0 check
waits_for
mark /dev/mapper/d1 100 2 a
mark /dev/mapper/d1 110 2 a
mark /dev/mapper/d2 1000 1 b
mark /dev/mapper/d1 1000 1 c
mark /dev/mapper/d0 2047 1 d
t dmsetup message it 0 check
waits_for
look /dev/mapper/d1 96 16
t dmsetup message it 0 repair
waits_for
look /dev/mapper/d1 96 16
look /dev/mapper/d2 996 8
look /dev/mapper/d1 996 8
look /dev/mapper/d2 2040 8
t dmsetup message it 0 check
waits_for
t dmsetup remove it
say 'without metadata'
mark /dev/mapper/d1 300 2 a
t dmsetup create it --table '0 2048 raid raid1 2 0 nosync 2 - /dev/mapper/d0 - /dev/mapper/d1'
t dmsetup message it 0 check
waits_for
t dmsetup message it 0 repair
waits_for
t dmsetup message it 0 check
waits_for
t dmsetup remove it
