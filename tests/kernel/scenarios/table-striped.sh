# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Every way a striped line can be wrong, and some that are right.
# Linux 6.1 differs: a path that does not exist is ENODEV.
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup status it
	dmsetup remove it 2>/dev/null
}
try '0 64 striped 2 8 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 1 8 /dev/vda 0'
try '0 64 striped 2 8 /dev/vda 0'
try '0 64 striped 2 8 /dev/vda 0 /dev/vdb'
try '0 64 striped 2 8 /dev/vda 0 /dev/vdb 0 /dev/vda 64'
try '0 64 striped'
try '0 64 striped 2'
try '0 64 striped 2 8'
try '0 64 striped 0 8'
try '0 64 striped 0 8 /dev/vda 0'
try '0 64 striped -1 8 /dev/vda 0'
try '0 64 striped x 8 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 0 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 x /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 -8 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 7 /dev/vda 0 /dev/vdb 0'
try '0 60 striped 2 8 /dev/vda 0 /dev/vdb 0'
try '0 65 striped 2 8 /dev/vda 0 /dev/vdb 0'
try '0 66 striped 3 8 /dev/vda 0 /dev/vdb 0 /dev/vda 64'
try '0 72 striped 3 8 /dev/vda 0 /dev/vdb 0 /dev/vda 64'
try '0 84 striped 3 7 /dev/vda 0 /dev/vdb 0 /dev/vda 64'
try '0 64 striped 2 1 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 32 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 64 /dev/vda 0 /dev/vdb 0'
try '0 64 striped 2 8 /dev/vda 32760 /dev/vdb 0'
try '0 64 striped 2 8 /dev/vda 32736 /dev/vdb 32736'
try '0 64 striped 2 8 /dev/vda 32737 /dev/vdb 32736'
try '0 64 striped 2 8 /dev/nothing 0 /dev/vdb 0'
try '0 64 striped 2 8 /dev/vda 0 /dev/nothing 0'
try '0 64 striped 2 8 /dev/vda x /dev/vdb 0'
try '0 64 striped 2 8 /dev/vda 0 /dev/vda 0'
try '0 96 striped 2 12 /dev/vda 0 /dev/vdb 0'
