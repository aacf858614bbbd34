# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A change at the bottom of six devices is seen at the top; each is busy until the one above is removed.
stamp "$A" 512
stamp "$B" 512
t dmsetup create d0 --table '0 256 linear /dev/vda 0'
for n in 1 2 3 4 5; do
	t dmsetup create d$n --table "0 $((256 - n * 8)) linear /dev/mapper/d$((n - 1)) 8"
done
look /dev/mapper/d5 0 216
t dmsetup load d0 --table '0 128 linear /dev/vdb 0
128 128 striped 2 16 /dev/vda 128 /dev/vdb 256'
t dmsetup resume d0
look /dev/mapper/d5 0 216
t dmsetup ls --tree
for n in 0 1 2 3 4; do
	t dmsetup remove d$n
done
for n in 5 4 3 2 1 0; do
	t dmsetup remove d$n
done
t dmsetup ls
