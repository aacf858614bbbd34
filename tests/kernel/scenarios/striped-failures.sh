# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Striped: a leg that failed is D in the status, and each failure is an event of the device, for the first fourteen of a leg.
# Of several failures at once the kernel makes as many events as a work queue comes to: they are not counted here then.
# Linux 6.1 differs: error targets take no discard.
legs() { dmsetup status "$1"; }
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
t dmsetup create bad --table '0 128 error'
t dmsetup create half --table "0 8 linear $A 0
8 56 error"
t dmsetup create it --table "0 96 striped 3 8 $A 0 /dev/mapper/bad 0 $B 0"
seen it
mark /dev/mapper/it 0 8 x
look /dev/mapper/it 16 8
seen it
look /dev/mapper/it 8 1
seen it
t dmsetup create wide --table "0 96 striped 3 8 $A 0 /dev/mapper/bad 0 $B 0"
BS=48K mark /dev/mapper/wide 0 96 y
legs wide
look "$A" 0 32
look "$B" 0 32
behind waiter dmsetup wait it "$(dmsetup info -c --noheadings -o events it)"
waits waiter
look /dev/mapper/it 32 8
ends waiter
for _ in $(seq 3 17); do
	look /dev/mapper/it 8 1 >look
	seen it
done
t dmsetup suspend it
t dmsetup resume it
seen it
t dmsetup load it --table "0 96 striped 3 8 /dev/mapper/bad 0 $A 0 /dev/mapper/bad 32"
t dmsetup resume it
seen it
look /dev/mapper/it 0 8
seen it
t dmsetup status --target striped
t dmsetup table it

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
