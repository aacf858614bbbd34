# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror: a leg refuses a write. Without handle_errors the writer is not told; the region is not synchronous any more.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
bad() { echo "0 32 linear $1 0
32 32 error
64 64 linear $1 64"; }
stamp "$A" 128
stamp "$B" 128
t dmsetup create leg --table "$(bad "$B")"
say 'the second leg'
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $A 0 /dev/mapper/leg 0"
mark /dev/mapper/it 32 16 x
seen it
look /dev/mapper/it 32 16
mark /dev/mapper/it 64 16 x
mark /dev/mapper/it 32 16 y
seen it
look "$A" 32 48
look "$B" 32 48
t dmsetup suspend it
t dmsetup resume it
seen it
t dmsetup remove it
say 'the first leg'
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 /dev/mapper/leg 0 $A 0"
mark /dev/mapper/it 48 16 z
seen it
look "$A" 48 16
t dmsetup remove it
say 'all legs'
t dmsetup create other --table "$(bad "$A")"
for errors in '' ' 1 handle_errors' ' 2 handle_errors keep_log'; do
	t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 /dev/mapper/leg 0 /dev/mapper/other 0$errors"
	mark /dev/mapper/it 48 16 z
	dmsetup status it
	look /dev/mapper/it 48 16
	look /dev/mapper/it 64 16
	t dmsetup remove it
done
