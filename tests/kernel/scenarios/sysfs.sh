# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What /sys contains about mapped devices.
# Linux 6.1 differs: capability is 4, and chunk_sectors means nothing.
t dmsetup create one -u UU --table '0 64 linear /dev/vda 0'
t dmsetup create two --readonly --table '0 128 striped 2 16 /dev/mapper/one 0 /dev/vdb 0'
t dmsetup create three --table '0 128 striped 2 16 /dev/vda 64 /dev/vdb 64'
t dmsetup suspend one
t dmsetup create four -n
for n in 0 1 2 3; do
	for file in dev size ro removable range ext_range alignment_offset capability hidden dm/name dm/uuid dm/suspended queue/logical_block_size \
		queue/physical_block_size queue/minimum_io_size queue/optimal_io_size queue/zoned queue/chunk_sectors; do
		[ ! -e /sys/block/dm-$n/$file ] || echo "dm-$n $file: $(cat /sys/block/dm-$n/$file)"
	done
	[ ! -e /sys/block/dm-$n ] || echo "dm-$n slaves: $(ls /sys/block/dm-$n/slaves | tr '\n' ' ')"
	[ ! -e /sys/block/dm-$n ] || echo "dm-$n holders: $(ls /sys/block/dm-$n/holders | tr '\n' ' ')"
	[ ! -e /sys/block/dm-$n ] || echo "dm-$n is $(readlink /sys/block/dm-$n), $(readlink "/sys/dev/block/$(major):$n")"
done
t dmsetup resume one
t cat /sys/block/dm-0/dm/suspended
t dmsetup rename one uno
t cat /sys/block/dm-0/dm/name
t dmsetup remove_all
t ls /sys/block/dm-0
