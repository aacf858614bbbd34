# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Buffered writes of any bytes: only those change.
t dmsetup create one --table '0 16 linear /dev/vda 0
16 48 striped 2 8 /dev/vda 64 /dev/vdb 64'
stamp /dev/mapper/one 64
printf hello | dd of=/dev/mapper/one bs=1 seek=510 conv=notrunc,fsync status=none
printf 'over the edge' | dd of=/dev/mapper/one bs=13 oflag=seek_bytes seek=8186 conv=notrunc,fsync status=none
printf 'last' | dd of=/dev/mapper/one bs=4 oflag=seek_bytes seek=32764 conv=notrunc,fsync status=none
printf 'too far' | dd of=/dev/mapper/one bs=7 oflag=seek_bytes seek=32764 conv=notrunc,fsync status=none 2>&1
raw /dev/mapper/one 0 64 | tr -s ' ' | tr '\n' ' '
echo
raw "$A" 0 16 | tr -s ' ' | tr '\n' ' '
echo
look "$A" 16 4
raw "$A" 64 24 | tr -s ' ' | tr '\n' ' '
echo
raw "$B" 64 24 | tr -s ' ' | tr '\n' ' '
echo
