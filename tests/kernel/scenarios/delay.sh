# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Requests that a delay line holds are counted in its status: reads, writes and flushes; and they go where their class
# goes. A suspend lets them go at once. No write and flush are in flight together: FUSE has a lock for each file that
# prevents it.
holds() {
	count=0
	while [ "$(dmsetup status "$1")" != "$2" ] && [ $count -lt 50 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	dmsetup status "$1"
}
# Whole blocks: dd would write the rest of a larger one through the page cache.
direct() { BS=4K mark "$@"; }
stamp "$A" 256
say 'three words: all are held'
t dmsetup create it --table "0 64 delay $A 128 600000"
t dmsetup status it
behind reader look /dev/mapper/it 0 8
holds it '0 64 delay 1 0 0'
behind writer direct /dev/mapper/it 8 8 x
holds it '0 64 delay 1 1 0'
behind second look /dev/mapper/it 16 8
holds it '0 64 delay 2 1 0'
waits reader
waits writer
look "$A" 136 8
t dmsetup suspend it
ends reader
ends writer
ends second
t dmsetup status it
t dmsetup table it
look "$A" 128 24
behind reader look /dev/mapper/it 8 8
waits reader
t dmsetup status it
t dmsetup resume it
holds it '0 64 delay 1 0 0'
behind flusher sync /dev/mapper/it
holds it '0 64 delay 1 0 1'
t dmsetup load it --table "0 64 delay $A 64 0"
t dmsetup resume it
ends reader
ends flusher
look /dev/mapper/it 8 8
t dmsetup remove it

say 'six words: reads are not held'
t dmsetup create it --table "0 64 delay $A 0 0 $B 32 600000"
look /dev/mapper/it 0 8
behind writer direct /dev/mapper/it 0 8 y
holds it '0 64 delay 0 1 0'
look /dev/mapper/it 0 8
t dmsetup suspend --noflush it
ends writer
t dmsetup resume it
look /dev/mapper/it 0 8
look "$B" 32 8
behind flusher sync /dev/mapper/it
holds it '0 64 delay 0 0 1'
t dmsetup suspend it
ends flusher
t dmsetup resume it
behind writer direct /dev/mapper/it 8 8 z
holds it '0 64 delay 0 1 0'
t dmsetup load it --table "0 64 linear $B 0"
t dmsetup resume it
ends writer
look /dev/mapper/it 40 8
t dmsetup remove it

say 'nine words: only flushes are held'
t dmsetup create it --table "0 64 delay $A 0 0 $A 0 0 $A 0 600000"
direct /dev/mapper/it 0 8 f
look /dev/mapper/it 0 8
behind flusher sync /dev/mapper/it
holds it '0 64 delay 0 0 1'
look /dev/mapper/it 0 16
t dmsetup suspend it
ends flusher
t dmsetup resume it
t dmsetup remove it
