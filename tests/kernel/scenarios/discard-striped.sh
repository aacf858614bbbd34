# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Discard and zeroes through striped: each chunk of the range on its leg and nothing else.
for what in '' -z; do
	stamp "$A" 512
	stamp "$B" 512
	t dmsetup create one --table '0 128 striped 2 16 /dev/vda 64 /dev/vdb 128'
	t blkdiscard $what -o 8192 -l 16384 /dev/mapper/one
	look /dev/mapper/one 0 128
	look "$A" 60 80
	look "$B" 120 80
	t blkdiscard $what -o 4096 -l 40960 /dev/mapper/one
	look /dev/mapper/one 0 128
	t blkdiscard $what -o 61440 -l 4096 /dev/mapper/one
	look /dev/mapper/one 0 128
	t dmsetup remove one
done
stamp "$A" 512
stamp "$B" 512
t dmsetup create three --table '0 144 striped 3 8 /dev/vda 0 /dev/vdb 0 /dev/vda 128'
t blkdiscard -z -o 2048 -l 30720 /dev/mapper/three
look /dev/mapper/three 0 144
look "$A" 0 64
look "$B" 0 64
look "$A" 120 64
