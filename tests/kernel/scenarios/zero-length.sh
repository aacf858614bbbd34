# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Lengths of one sector and other odd ones: the sizes that tools report.
for length in 1 2 7 9 63 100; do
	t dmsetup create one --table "0 $length linear /dev/vda 3"
	size /dev/mapper/one
	t blockdev --getsize64 --getbsz /dev/mapper/one
	dd if=/dev/mapper/one bs=4096 status=none | wc -c
	dd if=/dev/mapper/one bs=512 iflag=direct status=none | wc -c
	dd if=/dev/zero of=/dev/mapper/one bs=512 conv=notrunc,fsync 2>&1 | tail -n 1 | cut -d ' ' -f 1-2
	dmsetup remove one
done
