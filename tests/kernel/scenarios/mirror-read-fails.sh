# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# mirror: what one leg cannot read, another one can.
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
stamp "$A" 128
stamp "$B" 128
mark "$A" 0 128 a
mark "$B" 0 128 b
t dmsetup create leg --table "0 32 linear $B 0
32 32 error
64 64 linear $B 64"
for errors in '' ' 1 handle_errors'; do
	t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 /dev/mapper/leg 0 $A 0$errors"
	seen it
	look /dev/mapper/it 0 16
	look /dev/mapper/it 64 16
	BS=8K look /dev/mapper/it 32 16
	count=0
	while dmsetup status it | grep -q ' AA ' && [ $count -lt 30 ]; do sleep 0.1; count=$((count + 1)); done
	seen it
	look /dev/mapper/it 64 16
	BS=8K mark /dev/mapper/it 64 16 x
	look "$A" 64 16
	look "$B" 64 16
	t dmsetup suspend it
	t dmsetup resume it
	seen it
	t dmsetup remove it
	mark "$A" 64 16 a
	mark "$B" 64 16 b
done
