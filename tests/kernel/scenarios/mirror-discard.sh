# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror: discards and zeroes go to all legs.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
stamp "$A" 256
stamp "$B" 256
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $A 0 $B 0 1 handle_errors"
t blkdiscard -z -o 8192 -l 16384 /dev/mapper/it
look "$A" 0 64
look "$B" 0 64
t blkdiscard -z -o 512 -l 512 /dev/mapper/it
look "$A" 0 8
seen it
t dmsetup remove it
t dmsetup create it --table "0 128 mirror core 1 16 2 $A 0 $B 0"
t within 20 dmsetup wait it 0
t blkdiscard -o 32768 -l 8192 /dev/mapper/it
look "$A" 56 8
look "$B" 56 8
seen it
