# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror of three legs, two of which fail one after the other.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
stamp "$A" 128
stamp "$B" 128
stamp "$B" 128
dd if="$A" of="$B" bs=64K count=1 seek=16 oflag=direct conv=notrunc status=none
t dmsetup create one --table "0 32 error
32 96 linear $B 32"
t dmsetup create two --table "0 64 linear $B 2048
64 32 error
96 32 linear $B 2144"
t dmsetup create log --table "0 16 linear $B 4096"
t dmsetup create it --table "0 128 mirror disk 3 /dev/mapper/log 16 nosync 3 /dev/mapper/one 0 /dev/mapper/two 0 $A 0 2 handle_errors keep_log"
seen it
mark /dev/mapper/it 16 16 x
seen it
look /dev/mapper/it 16 16
mark /dev/mapper/it 64 16 y
seen it
look /dev/mapper/it 64 16
look "$A" 0 128
look "$B" 0 128
look "$B" 2048 128
look /dev/mapper/it 0 128
