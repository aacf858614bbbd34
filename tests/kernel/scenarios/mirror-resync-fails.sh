# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror: a leg cannot be made equal.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
copied() {
	count=0
	while ! dmsetup status it | grep -q " $1/8 " && [ $count -lt 50 ]; do sleep 0.1; count=$((count + 1)); done
	seen it
}
stamp "$A" 128
t dmsetup create leg --table "0 32 linear $B 0
32 16 error
48 80 linear $B 48"
say 'the leg that is copied to'
t dmsetup create it --table "0 128 mirror core 1 16 2 $A 0 /dev/mapper/leg 0 1 handle_errors"
copied 7
look "$B" 0 128
look /dev/mapper/it 32 32
t dmsetup load leg --table "0 128 linear $B 0"
t dmsetup resume leg
t dmsetup suspend it
t dmsetup resume it
copied 8
look "$B" 32 16
t dmsetup remove it
say 'the leg that is copied from'
dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
t dmsetup create bad --table "0 32 linear $A 0
32 16 error
48 80 linear $A 48"
t dmsetup create it --table "0 128 mirror core 1 16 2 /dev/mapper/bad 0 $B 0 1 handle_errors"
copied 7
look "$B" 0 128
look /dev/mapper/it 32 16
t dmsetup remove it
