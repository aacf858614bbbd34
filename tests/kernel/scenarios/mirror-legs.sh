# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror: how many legs there may be; deps and status of three and of nine.
BS=8K
stamp "$A" 128
list() { i=0; while [ $i -lt "$1" ]; do printf ' %s %d' "$A" $((i * 128)); i=$((i + 1)); done; }
for n in 0 1 2 3 8 9 10; do
	t dmsetup create it --table "0 128 mirror core 2 16 nosync $n$(list $n)" || continue
	dmsetup status it
	t dmsetup deps it
	dmsetup remove it
done
say 'three'
t dmsetup create it --table "0 128 mirror core 1 32 3 $A 0 $B 0 $B 1024 1 handle_errors"
t within 20 dmsetup wait it 0
dmsetup status it
mark /dev/mapper/it 16 16 x
for place in "$A 0" "$B 0" "$B 1024"; do look $place 128; done
dmsetup remove it
say 'more legs than there are'
t dmsetup create it --table "0 128 mirror core 2 16 nosync 3 $A 0 $B 0"
t dmsetup create it --table "0 128 mirror core 2 16 nosync x $A 0 $B 0"
t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $A 0 $B 0 $B 1024"
