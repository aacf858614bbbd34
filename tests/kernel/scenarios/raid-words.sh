# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# raid: the words of its lines, right and wrong, and what table and status say.
# Linux 6.1 differs: an array that has not begun says idle and all in sync, not frozen and nothing; it says ENODEV of a device that is not there.
pieces 4 256 2048
say 'what is right'
while read -r len words; do
	t dmsetup create it --notable
	t dmsetup load it --table "0 $len raid $words" && { t dmsetup table --inactive it; t dmsetup status --inactive it; }
	t dmsetup remove it
done <<'W'
2048 raid1 1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 RAID1 1 64 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 2 0 nosync 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 2 0 SYNC 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 14 0 region_size 1024 max_write_behind 100 write_mostly 1 max_recovery_rate 300 min_recovery_rate 20 daemon_sleep 7 nosync 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 region_size 4 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 1 0 1 - /dev/mapper/d0
2048 raid1 1 0 2 - /dev/mapper/d0 - -
2048 raid1 1 0 3 - - - /dev/mapper/d1 - -
2048 raid1 3 0 rebuild 1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 data_offset 0 2 - /dev/mapper/d0 - /dev/mapper/d1
1000 raid1 1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 1 16 2 - /dev/mapper/d0 - /dev/mapper/d1
4032 raid0 1 64 3 - /dev/mapper/d0 - /dev/mapper/d1 - /dev/mapper/d2
2048 raid0 1 16 1 - /dev/mapper/d0
W
say 'what is not'
while read -r len words; do
	t dmsetup create it --table "0 $len raid $words" && { dmsetup table it; dmsetup remove it; }
done <<'W'
2048
2048 raid1
2048 raid9 1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 mirror 1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 x 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 1 x 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 9 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 1 0 0
2048 raid1 1 0 2 - /dev/mapper/d0
2048 raid1 1 0 1 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 1 0 2 - - - -
2048 raid1 1 0 2 /dev/mapper/m0 - - /dev/mapper/d1
2048 raid1 1 0 2 - /dev/mapper/d0 - /dev/mapper/none
4096 raid1 1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 sync nosync 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 sync sync 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 nosync nosync 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 4 0 nosync rebuild 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 rebuild 2 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 rebuild -1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 5 0 rebuild 1 rebuild 1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 5 0 rebuild 0 rebuild 1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 rebuild 1 2 - /dev/mapper/d0 - -
2048 raid1 3 0 write_mostly 2 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 5 0 write_mostly 0 write_mostly 1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 max_write_behind -1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 max_write_behind 32768 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 max_write_behind 32767 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 daemon_sleep -1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 min_recovery_rate -1 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 5 0 min_recovery_rate 20 max_recovery_rate 10 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 region_size 3 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 region_size 4096 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 region_size x 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 region_size -8 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 2 0 region_size 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 stripe_cache 64 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 raid10_copies 2 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 raid10_format near 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 2 0 raid10_use_near_sets 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 journal_dev /dev/mapper/m0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 journal_mode writeback 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 data_offset 8 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 delta_disks 0 2 - /dev/mapper/d0 - /dev/mapper/d1
2048 raid1 3 0 colour 3 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 1 0 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 1 4 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 1 24 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 2 16 sync 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 3 16 region_size 64 2 - /dev/mapper/d0 - /dev/mapper/d1
4097 raid0 1 16 2 - /dev/mapper/d0 - /dev/mapper/d1
8192 raid0 1 16 2 - /dev/mapper/d0 - /dev/mapper/d1
4096 raid0 1 16 2 - /dev/mapper/d0 - -
W
