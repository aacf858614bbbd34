# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Reading and writing at the end of a device: how much is returned, and which error.
t dmsetup create one --table '0 100 linear /dev/vda 0'
for bs in 512 1024 4096 8192 51200 65536; do
	echo "bs $bs: $(dd if=/dev/mapper/one bs=$bs iflag=direct 2>&1 >/dev/null | sed 's/bytes.*/bytes/' | tr '\n' ' ')"
	echo "bs $bs: $(dd if=/dev/mapper/one bs=$bs 2>&1 >/dev/null | sed 's/bytes.*/bytes/' | tr '\n' ' ')"
	echo "bs $bs: $(dd if=/dev/zero of=/dev/mapper/one bs=$bs oflag=direct conv=notrunc 2>&1 | sed 's/bytes.*/bytes/' | tr '\n' ' ')"
	echo "bs $bs: $(dd if=/dev/zero of=/dev/mapper/one bs=$bs conv=notrunc 2>&1 | sed 's/bytes.*/bytes/' | tr '\n' ' ')"
	echo "bs $bs: $(dd if=/dev/zero of=/dev/mapper/one bs=$bs 2>&1 | sed 's/bytes.*/bytes/' | tr '\n' ' ')"
done
t dd if=/dev/mapper/one bs=512 skip=100 count=1 status=none
t dd if=/dev/zero of=/dev/mapper/one bs=512 seek=100 count=1 conv=notrunc status=none
t dd if=/dev/zero of=/dev/mapper/one bs=1 seek=51199 count=1 conv=notrunc status=none
t dd if=/dev/zero of=/dev/mapper/one bs=1 seek=51200 count=1 conv=notrunc status=none
size /dev/mapper/one
t blockdev --getsize64 /dev/mapper/one
