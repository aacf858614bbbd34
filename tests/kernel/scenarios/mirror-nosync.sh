# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# mirror: nosync takes the legs for equal, whatever is on them; sync does not believe it.
stamp "$A" 128
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $A 0 $B 0"
dmsetup info -c --noheadings -o events it
dmsetup status it
look /dev/mapper/it 0 128
look "$B" 0 128
mark /dev/mapper/it 8 8 x
look "$B" 0 128
dmsetup remove it
say 'the other way round'
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $B 0 $A 0"
look /dev/mapper/it 0 128
t dmsetup remove it
t dmsetup create it --table "0 128 mirror core 2 16 sync 2 $B 0 $A 0"
t within 20 dmsetup wait it 0
dmsetup status it
look "$A" 0 128
dmsetup remove it
