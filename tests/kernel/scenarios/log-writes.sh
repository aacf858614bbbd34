# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# log-writes: what is logged when, byte for byte. The log is written behind the requests, so settled() waits for its entries.
settled() {
	count=0
	while [ "$(dmsetup status "$1")" != "$2" ] && [ $count -lt 50 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	dmsetup status "$1"
}
direct() { BS=4K mark "$@"; }
# The entries up to sector $1 of the log: sector, sectors, flags, bytes of text, and what the data tell.
entries() {
	at=1
	say "superblock: $(raw "$B" 0 1 | od -A n -t x8 -N 16 | tr -s ' ') $(raw "$B" 0 1 | od -A n -t u8 -j 16 -N 8 | tr -s ' ')\
$(raw "$B" 0 1 | od -A n -t u4 -j 24 -N 4 | tr -s ' ')"
	while [ $at -lt "$1" ]; do
		set -- "$1" $(raw "$B" $at 1 | od -A n -t u8 -w32 -N 32)
		echo "$2+$3 flags $4: '$(raw "$B" $at 1 | tail -c +33 | head -c "$5" | tr '\0' -)'"
		at=$((at + 1))
		case $4 in 4) continue ;; esac
		[ "$3" = 0 ] || look "$B" $at "$3"
		at=$((at + $3))
	done
	raw "$B" 0 "$1" | md5sum
}
stamp "$A" 256
t dmsetup create it --table "0 128 log-writes $A $B"
t dmsetup table it
t dmsetup status it

say 'a write waits for the next flush; a read is not logged'
direct /dev/mapper/it 8 8 x
look /dev/mapper/it 0 24
t dmsetup status it
sync /dev/mapper/it
settled it '0 128 log-writes 2 10'
entries 11

say 'a mark goes before what was not flushed, and brings the superblock up to date'
direct /dev/mapper/it 24 8 y
t dmsetup message it 0 mark first
settled it '0 128 log-writes 3 11'
entries 12

say 'a suspend flushes nothing that the log sees'
t dmsetup suspend it
t dmsetup message it 0 mark 'at\ rest'
t dmsetup resume it
settled it '0 128 log-writes 4 12'

say 'discards are logged as writes are, zeros are written'
t blkdiscard -o 16384 -l 8192 /dev/mapper/it
t blkdiscard -z -o 32768 -l 4096 /dev/mapper/it
t dmsetup status it
sync /dev/mapper/it
settled it '0 128 log-writes 8 32'
entries 33

say 'what is written with O_DSYNC goes by what was not flushed'
direct /dev/mapper/it 40 8 w
sectors 100 8 f | dd of=/dev/mapper/it bs=4K seek=12 oflag=direct,dsync conv=notrunc status=none
settled it '0 128 log-writes 11 51'
entries 52

say 'a removal ends the log, with what was not flushed'
direct /dev/mapper/it 56 8 v
t dmsetup remove it
entries 62
look "$A" 0 128

say 'messages'
t dmsetup create it --table "0 128 log-writes $A $B"
t dmsetup message it 0 mark
t dmsetup message it 0 mark two words
t dmsetup message it 0 unmark it
t dmsetup message it 0 MARK it
settled it '0 128 log-writes 1 1'
t dmsetup remove it

say 'tables'
t dmsetup create it --table "0 128 log-writes $A"
t dmsetup create it --table '0 128 log-writes'
t dmsetup create it --table "0 999999999 log-writes $A $B"
t dmsetup create it --table "0 128 log-writes $A $B more"
t dmsetup table it
t dmsetup deps it
