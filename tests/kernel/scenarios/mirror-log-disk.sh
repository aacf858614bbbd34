# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002,SC2059
# mirror with a log on a disk: what is in the log when, byte for byte. Bits of the log: 1 is clean.
synced() {
	count=0
	while ! dmsetup status "$1" | grep -q " $2/$2 " && [ $count -lt 100 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"
}
t dmsetup create log --table "0 16 linear $B 4096"
bytes() { raw /dev/mapper/log 0 4 | od -A d -t x1; }
letters() { printf "$1" | dd of=/dev/mapper/log bs=1 seek="${2:-0}" conv=notrunc,fsync status=none; }
stamp "$A" 1024
letters '\252\252\252\252\252\252' 512
letters '\273\273\273\273\273\273' 1534
legs="2 $A 0 $B 0 1 handle_errors"
t dmsetup create it --table "0 640 mirror disk 2 /dev/mapper/log 16 $legs"
synced it 40
t dmsetup table it
t dmsetup deps it
t dmsetup suspend it
bytes
t dmsetup resume it
synced it 40
mark /dev/mapper/it 16 8 x
t dmsetup remove it
bytes
look "$B" 0 640
say 'the log is read: what is clean is not copied'
mark "$A" 0 640 n
letters '\376\377\177' 1024
t dmsetup create it --table "0 640 mirror disk 2 /dev/mapper/log 16 $legs"
synced it 40
dmsetup remove it
look "$B" 0 640
bytes
say 'more regions than the log knows, with and without nosync'
letters '\050\000\000\000\000\000\000\000' 8
mark "$A" 0 1024 g
t dmsetup create it --table "0 960 mirror disk 2 /dev/mapper/log 16 $legs"
synced it 60
dmsetup remove it
look "$B" 0 1024
bytes
say 'fewer'
t dmsetup create it --table "0 160 mirror disk 2 /dev/mapper/log 16 $legs"
synced it 10
dmsetup remove it
bytes
say 'sync and nosync begin a new log'
mark "$A" 0 160 s
t dmsetup create it --table "0 160 mirror disk 3 /dev/mapper/log 16 sync $legs"
synced it 10
look "$B" 0 160
t dmsetup suspend it
bytes
mark "$A" 0 160 u
say 'a resume reads it anew'
t dmsetup resume it
synced it 10
look "$B" 0 160
dmsetup remove it
letters '\000\000' 1024
t dmsetup create it --table "0 160 mirror disk 3 /dev/mapper/log 16 nosync $legs"
synced it 10
look "$B" 0 160
dmsetup suspend it
letters '\000\000' 1024
t dmsetup resume it
dmsetup status it
dmsetup suspend it
bytes
dmsetup remove it
say 'other versions'
letters '\001' 4
letters '\000\000' 1024
t dmsetup create it --table "0 160 mirror disk 2 /dev/mapper/log 16 $legs"
synced it 10
dmsetup remove it
bytes
letters '\003' 4
letters '\000\000' 1024
t dmsetup create it --table "0 160 mirror disk 2 /dev/mapper/log 16 $legs"
dmsetup status it
dmsetup info -c --noheadings -o events it
dmsetup remove it
bytes
say 'no log at all: another magic'
letters 'mirror' 0
letters '\377\377' 1024
t dmsetup create it --table "0 160 mirror disk 2 /dev/mapper/log 16 $legs"
synced it 10
dmsetup remove it
bytes
