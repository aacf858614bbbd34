# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# log-writes whose log has no more room: nothing more is logged, and everything else goes on.
settled() {
	count=0
	while [ "$(dmsetup status "$1")" != "$2" ] && [ $count -lt 50 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	dmsetup status "$1"
}
direct() { BS=4K mark "$@"; }
stamp "$A" 256
t dmsetup create small --table "0 24 linear $B 0"
t dmsetup create it --table "0 128 log-writes $A /dev/mapper/small"
direct /dev/mapper/it 0 8 x
sync /dev/mapper/it
settled it '0 128 log-writes 2 10'
t dmsetup message it 0 mark m
settled it '0 128 log-writes 3 11'
say 'the last sector is never used'
direct /dev/mapper/it 8 8 x
sync /dev/mapper/it
settled it '0 128 log-writes 5 21'
t dmsetup message it 0 mark n
settled it '0 128 log-writes 6 22'
sync /dev/mapper/it
settled it '0 128 log-writes 6 23 logging_disabled'
direct /dev/mapper/it 16 8 x
sync /dev/mapper/it
t dmsetup status it
look /dev/mapper/it 0 32
t dmsetup suspend it
t dmsetup resume it
t dmsetup status it
t dmsetup remove it
raw "$B" 0 24 | md5sum
