# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What a flakey line does to requests while it is down. The up interval is 0, so that it is down at any time; or the down interval
# is, and it never is.
# Linux 6.1 differs: it does not know error_reads, and refuses the tables that have it.
make() { t dmsetup create it --table "0 64 flakey $A 16 $1"; }
# Whole blocks: dd would write the rest of a larger one through the page cache.
direct() { BS=4K mark "$@"; }
use() {
	make "$1"
	look /dev/mapper/it 0 16
	direct /dev/mapper/it 8 8 "$2"
	look /dev/mapper/it 0 16
	look "$A" 16 16
	t sync /dev/mapper/it
	t blkdiscard -o 16384 -l 4096 /dev/mapper/it
	look "$A" 48 8
	t blkdiscard -z -o 20480 -l 4096 /dev/mapper/it
	look "$A" 56 8
	t dmsetup status it
	t dmsetup suspend it
	t dmsetup resume it
	t dmsetup remove it
	stamp "$A" 128
}
stamp "$A" 128
say 'never down'
use '60 0' a
use '60 0 2 error_reads drop_writes' b
use '60 0 5 corrupt_bio_byte 1 r 88 0' c
say 'everything fails'
use '0 60' d
say 'reads fail'
use '0 60 1 error_reads' g
say 'writes fail'
use '0 60 1 error_writes' h
say 'writes are lost'
use '0 60 1 drop_writes' i
use '0 60 2 drop_writes error_reads' j
say 'a line among others'
t dmsetup create it --table "0 16 linear $A 0
16 16 flakey $A 16 0 60 1 drop_writes
32 32 linear $A 32"
BS=32K mark /dev/mapper/it 0 64 F
t sync /dev/mapper/it
look "$A" 0 64
look /dev/mapper/it 0 64
t dmsetup load it --table "0 64 flakey $A 0 60 0"
t dmsetup resume it
BS=32K mark /dev/mapper/it 0 64 G
look "$A" 0 64
