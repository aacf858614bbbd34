# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror with handle_errors: a leg dies, and what is noticed first is a discard, as with mkfs. The write after it waits, and the leg is D.
BS=8K
stamp "$A" 128
stamp "$B" 128
t dmsetup create leg --table "0 128 linear $B 0"
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $A 0 /dev/mapper/leg 0 1 handle_errors"
t dmsetup load leg --table "0 128 error"
t dmsetup suspend --noflush --nolockfs leg
t dmsetup resume leg
t blkdiscard -o 16384 -l 8192 /dev/mapper/it
behind write mark /dev/mapper/it 32 16 x
waits write
dmsetup status it
t dmsetup load it --table "0 128 linear $A 0"
t dmsetup suspend --noflush it
t dmsetup resume it
ends write
look "$A" 32 16
