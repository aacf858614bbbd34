# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# What is in the header of a store.
BS=4K
stamp "$A" 256
field() { printf %b "$2" | dd of="$B" bs=1 seek="$1" conv=notrunc,fsync status=none; }
try() {
	t dmsetup create snap --table "0 256 snapshot $A $B P 8" || return 0
	dmsetup table snap
	dmsetup status snap
	look /dev/mapper/snap 0 16
	dmsetup remove snap
}
t dmsetup create snap --table "0 256 snapshot $A $B P 8"
mark /dev/mapper/snap 0 8 a
t dmsetup remove snap
say 'as it is'
raw "$B" 0 1 | od -A d -t x1 | head -n 2
try
say 'other bytes behind the header'
field 16 'xyz'
field 500 'xyz'
try
say 'not valid'
field 4 '\0000'
try
say 'validity is a number'
field 4 '\0002'
try
field 4 '\0001'
say 'another version'
field 8 '\0002'
try
field 8 '\0001'
say 'chunks of 3 and of 0 sectors'
field 12 '\0003'
try
field 12 '\0000'
try
field 12 '\0010'
say 'another magic number'
field 0 'X'
try
say 'none'
field 0 '\0000\0000\0000\0000'
raw "$B" 0 1 | od -A d -t x1 | head -n 1
try
raw "$B" 0 1 | od -A d -t x1 | head -n 2
