# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Tables that dmsetup or the kernel cannot parse: each is refused and leaves an empty device or none.
# Linux 6.1 differs: the words of an error line are ignored.
try() {
	t dmsetup create bad --table "$1"
	dmsetup info -c --noheadings -o name,attr
	dmsetup remove bad 2>/dev/null
}
try 'nonsense'
try '0'
try '0 8'
try '0 8 nonsense'
try 'x 8 zero'
try '0 x zero'
try '-8 8 zero'
try '0 -8 zero'
try '0x0 0x8 zero'
try '010 8 zero'
try '0 0 zero'
try '0 8 zero extra'
try '0 8 Zero'
try '0 8 error extra'
try '0 8 error 1 2'
try '0 8 zero
'
try '

0 8 zero'
try '0 8 zero # comment'
try '# comment'
try '0 18446744073709551615 zero'
try '0 18446744073709551616 zero'
try '0 36028797018963968 zero'
try '0 9223372036854775807 zero'
try '0 8 targettypelongerthan16'
try '0 8.5 zero'
try '  0   8	zero  '
try '0 8 "zero"'
