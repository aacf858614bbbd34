# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid1 with write_mostly: that leg is read only if there is no other one.
pieces 2 256 512
mark /dev/mapper/d0 0 512 a
mark /dev/mapper/d1 0 512 b
for leg in 0 1; do
	t dmsetup create it --table "0 512 raid raid1 4 0 nosync write_mostly $leg 2 - /dev/mapper/d0 - /dev/mapper/d1"
	rests it
	t dmsetup table it
	look /dev/mapper/it 0 16
	look /dev/mapper/it 256 16
	t dmsetup remove it
done
t dmsetup create it --table "0 512 raid raid1 6 0 write_mostly 1 max_write_behind 64 nosync 2 - /dev/mapper/d0 - /dev/mapper/d1"
rests it
t dmsetup table it
mark /dev/mapper/it 32 8 x
look /dev/mapper/d0 32 8
sleep 1
look /dev/mapper/d1 32 8
t dmsetup remove it
