# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Striped: where each chunk goes, with chunks of many sizes and offsets of their own.
for shape in '2 8' '2 16' '2 128' '3 8' '3 12' '1 8' '4 8' '2 24'; do
	set -- $shape
	stamp "$A" 8192
	stamp "$B" 8192
	case $1 in
	1) legs="$A 100" ;;
	2) legs="$A 100 $B 200" ;;
	3) legs="$A 100 $B 200 $A 2000" ;;
	4) legs="$A 100 $B 200 $A 2000 $B 3000" ;;
	esac
	t dmsetup create it --table "0 $(($1 * $2 * 3)) striped $1 $2 $legs"
	dmsetup table it
	dmsetup status it
	look /dev/mapper/it 0 $(($1 * $2 * 3))
	look /dev/mapper/it $(($2 - 1)) 2
	look /dev/mapper/it $(($1 * $2 - 1)) 2
	look /dev/mapper/it $(($2 / 2)) $(($1 * $2 * 2))
	mark /dev/mapper/it $(($2 - 1)) $(($2 + 2)) x
	look "$A" $((99)) $(($2 * 3 + 2))
	look "$B" $((199)) $(($2 * 3 + 2))
	dmsetup remove it
done
