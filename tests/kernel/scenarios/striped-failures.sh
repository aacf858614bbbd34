# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Striped: a leg that failed is D in the status, and each failure is an event of the device, for the first fourteen of a
# leg. Of several simultaneous failures the kernel makes as many events as a work queue gets to: so these are not
# counted here.
legs() { dmsetup status "$1"; }
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
t dmsetup create bad --table '0 128 error'
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
for _ in $(seq 3 12); do raw /dev/mapper/it 8 1; done 2>&1 | uniq -c
seen it
for _ in 13 14 15 16; do
	raw /dev/mapper/it 8 1
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
