# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What blockdev prints about a mapped device, and sets.
# Linux 6.1 differs: its devices take transfers of 65535 sectors at once.
t dmsetup create one --table '0 20480 linear /dev/vda 0'
t dmsetup create two --table '0 20480 striped 2 128 /dev/vda 0 /dev/vdb 0'
t dmsetup create three --table '0 128 zero'
for device in one two three; do
	for word in --getro --getss --getpbsz --getiomin --getioopt --getalignoff --getmaxsect --getbsz --getsize64 --getsz --getra --getfra --getdiscardzeroes --getzonesz; do
		t blockdev $word /dev/mapper/$device
	done
done
t blockdev --setbsz 1024 /dev/mapper/one
t blockdev --getbsz /dev/mapper/one
t blockdev --setbsz 100 /dev/mapper/one
t blockdev --flushbufs /dev/mapper/one
t blockdev --rereadpt /dev/mapper/one
t blockdev --setra 64 /dev/mapper/one
t blockdev --getra /dev/mapper/one
t blockdev --setfra 128 /dev/mapper/one
t blockdev --getra /dev/mapper/one
t blockdev --setra x /dev/mapper/one
t blockdev --getsz /dev/mapper/nothing
