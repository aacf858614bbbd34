# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Every way a delay line can be wrong, and some that are right: 3, 6 and 9 words.
# Linux 6.1 differs: a path that does not exist is ENODEV, and its version of the target is an older one.
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup status it
	dmsetup deps -o devno it
	dmsetup remove it 2>/dev/null
}
try '0 64 delay /dev/vda 0 100'
try '0 64 delay /dev/vda 16 0'
try '0 64 delay /dev/vda 0 100 /dev/vdb 8 200'
try '0 64 delay /dev/vda 0 0 /dev/vda 0 200'
try '0 64 delay /dev/vda 0 1 /dev/vdb 8 2 /dev/vda 16 3'
try '0 64 delay /dev/vda 0 1 /dev/vda 0 2 /dev/vdb 0 3'
try '0 64 delay'
try '0 64 delay /dev/vda'
try '0 64 delay /dev/vda 0'
try '0 64 delay /dev/vda 0 1 /dev/vdb'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0 1 /dev/vda'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0 1 /dev/vda 0'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0 1 /dev/vda 0 1 more'
try '0 64 delay /dev/vda x 1'
try '0 64 delay /dev/vda 0x 1'
try '0 64 delay /dev/vda 0 x'
try '0 64 delay /dev/vda 0 1x'
try '0 64 delay /dev/vda 0 -x'
try '0 64 delay /dev/vda 0 4294967295'
try '0 64 delay /dev/vda 0 2147483648'
try '0 64 delay /dev/vda 32704 1'
try '0 64 delay /dev/vda 32705 1'
try '0 64 delay /dev/vda 0 1 /dev/vdb 32705 1'
try '0 64 delay /dev/vda 0 1 /dev/vda 0 1 /dev/vdb 32705 1'
try '0 64 delay /dev/nothing 0 1'
try '0 64 delay /dev/vda 0 1 /dev/nothing 0 1'
try '0 64 delay /dev/vda 0 1 /dev/vdb x 1'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0 x'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0 1 /dev/vda x 1'
try '0 64 delay /dev/vda 0 1 /dev/vdb 0 1 /dev/vda 0 x'
try '0 32 delay /dev/vda 0 1
32 32 delay /dev/vdb 0 1 /dev/vda 0 7'
dmsetup targets | grep '^delay '
