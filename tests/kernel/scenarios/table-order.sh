# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Lines out of order, with gaps and overlaps, not at the beginning.
try() {
	t dmsetup create bad --table "$1"
	dmsetup table bad
	dmsetup remove bad 2>/dev/null
}
try '8 8 zero'
try '0 8 zero
16 8 zero'
try '0 8 zero
4 8 zero'
try '8 8 zero
0 8 zero'
try '0 8 zero
0 8 zero'
try '0 8 zero
8 0 zero
8 8 zero'
try '0 8 zero
8 8 error
16 8 linear /dev/vda 0'
try '0 18446744073709551608 zero
18446744073709551608 16 zero'
try '1 8 zero'
