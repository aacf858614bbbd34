# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Striped: failures of a part of a leg, of two legs, through stripes on stripes, and which operations besides reading
# and writing count.
# Linux 6.1 differs: error targets do not support discard.
legs() { dmsetup status "$1"; }
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
t dmsetup create bad --table '0 128 error'
t dmsetup create half --table "0 8 linear $A 0
8 56 error"

say "a leg of which a part fails, and two legs that do in one request"
t dmsetup create two --table "0 128 striped 2 32 /dev/mapper/half 0 /dev/mapper/bad 0"
look /dev/mapper/two 0 8
seen two
look /dev/mapper/two 8 8
seen two
t dmsetup wipe_table bad
look /dev/mapper/two 30 4
legs two

say "stripes on stripes: each has its own"
t dmsetup create low --table "0 64 striped 2 8 /dev/mapper/bad 0 $A 64"
t dmsetup create high --table "0 64 striped 2 8 /dev/mapper/low 0 $B 64"
look /dev/mapper/high 16 8
look /dev/mapper/high 8 8
seen low
seen high
mark /dev/mapper/high 0 1 x
seen low
seen high

say "discarding, zeroing and flushing"
t dmsetup create all --table "0 64 striped 2 8 /dev/mapper/bad 0 $A 128"
t dd if=/dev/zero of=/dev/mapper/all bs=4096 count=1 seek=1 oflag=direct conv=notrunc,fsync status=none
seen all
t blkdiscard -f /dev/mapper/all
seen all
t blkdiscard -f -z -o 0 -l 4096 /dev/mapper/all
seen all
t dmsetup create plain --table '0 64 linear /dev/mapper/all 0
64 16 striped 2 8 /dev/mapper/bad 0 /dev/mapper/bad 8'
look /dev/mapper/plain 60 8
seen plain
seen all
