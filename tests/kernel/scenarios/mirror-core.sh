# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# mirror with a log in memory: it becomes synchronous by itself, and that is an event.
synced() {
	count=0
	while ! dmsetup status "$1" | grep -q " $2/$2 " && [ $count -lt 100 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"
}
stamp "$A" 256
t dmsetup create it --notable
t dmsetup load it --table "0 128 mirror core 1 16 2 $A 0 $B 64"
t dmsetup status --inactive it
t dmsetup resume it
t within 20 dmsetup wait it 0
synced it 8
t dmsetup table it
look "$B" 0 256
say 'writes go to both'
mark /dev/mapper/it 4 30 x
mark /dev/mapper/it 127 1 y
look /dev/mapper/it 0 128
look "$A" 0 136
look "$B" 56 140
say 'what is written below is there until all is copied again'
mark "$A" 16 8 a
mark "$B" 96 8 b
say 'it stays so through a suspend'
t dmsetup suspend it
dmsetup status it
t dmsetup resume it
synced it 8
look "$B" 64 128
say 'but not through a reload'
t dmsetup load it --table "0 128 mirror core 1 16 2 $A 0 $B 64"
t dmsetup resume it
synced it 8
look "$B" 64 128
