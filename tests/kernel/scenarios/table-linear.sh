# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Every way a linear line can be wrong, and some that are right.
# Linux 6.1 differs: what does not exist or is not a block device is ENODEV.
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup remove it 2>/dev/null
}
try '0 8 linear'
try '0 8 linear /dev/vda'
try '0 8 linear /dev/vda 0 0'
try '0 8 linear /dev/nothing 0'
try '0 8 linear vda 0'
try '0 8 linear 0'
try '0 8 linear /dev/vda x'
try '0 8 linear /dev/vda -1'
try '0 8 linear /dev/vda 0x10'
try '0 8 linear /dev/vda 010'
try '0 8 linear /dev/vda +8'
try '0 8 linear /dev/vda 8x'
try '0 8 linear /dev/vda 32760'
try '0 8 linear /dev/vda 32761'
try '0 8 linear /dev/vda 32768'
try '0 32769 linear /dev/vda 0'
try '0 8 linear /dev/vda 18446744073709551615'
try '0 8 linear /dev/vda 18446744073709551616'
try '0 8 linear /dev 0'
try '0 8 linear /dev/null 0'
try '0 8 linear 1:3 0'
try '0 8 linear 999:0 0'
try '0 8 linear : 0'
try '0 7 linear /dev/vda 1'
try '0 1 linear /dev/../dev/./vda 1'
