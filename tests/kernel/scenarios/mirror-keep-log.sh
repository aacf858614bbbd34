# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# mirror with keep_log: what one leg refuses is written to the others, and the log knows it.
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
event() { dmsetup info -c --noheadings -o events it; }
t dmsetup create log --table "0 16 linear $B 4096"
bytes() { raw /dev/mapper/log 0 3 | od -A d -t x1; }
stamp "$A" 128
stamp "$B" 128
bad="0 32 linear $B 0
32 32 error
64 64 linear $B 64"
t dmsetup create leg --table "$bad"
t dmsetup create it --table "0 128 mirror disk 3 /dev/mapper/log 16 nosync 2 $A 0 /dev/mapper/leg 0 2 handle_errors keep_log"
seen it
BS=8K mark /dev/mapper/it 32 16 x
seen it
look /dev/mapper/it 32 16
BS=8K mark /dev/mapper/it 64 16 y
look "$A" 64 16
look "$B" 64 16
t dmsetup table it
t dmsetup suspend it
bytes
say 'the leg is whole again'
t dmsetup load leg --table "0 128 linear $B 0"
t dmsetup resume leg
t dmsetup resume it
count=0
while ! dmsetup status it | grep -q ' AA ' && [ $count -lt 30 ]; do sleep 0.1; count=$((count + 1)); done
seen it
look "$B" 32 16
look "$A" 32 16
t dmsetup remove it
t dmsetup load leg --table "$bad"
t dmsetup resume leg
say 'the first leg refuses'
stamp "$A" 128
stamp "$B" 128
t dmsetup create it --table "0 128 mirror disk 3 /dev/mapper/log 16 nosync 2 /dev/mapper/leg 0 $A 0 2 handle_errors keep_log"
BS=8K mark /dev/mapper/it 32 16 x
seen it
look "$A" 32 16
look /dev/mapper/it 32 16
BS=8K mark /dev/mapper/it 34 8 w
seen it
look "$A" 32 16
look /dev/mapper/it 32 16
t dmsetup remove it
bytes
