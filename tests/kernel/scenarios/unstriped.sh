# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# unstriped: one stripe of a striped device as a device of its own; and every way its line can be wrong.
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup status it
	dmsetup deps -o devno it
	dmsetup remove it 2>/dev/null
}
stamp "$A" 512
say 'the stripes of a striped device'
t dmsetup create all --table "0 96 striped 3 8 $A 0 $A 100 $A 200"
for stripe in 0 1 2; do
	t dmsetup create one --table "0 32 unstriped 3 8 $stripe /dev/mapper/all 0"
	t dmsetup table one
	t dmsetup status one
	look /dev/mapper/one 0 32
	look /dev/mapper/one 5 10
	BS=4K mark /dev/mapper/one 8 8 "x$stripe"
	t sync /dev/mapper/one
	t dmsetup remove one
done
look /dev/mapper/all 0 96
look "$A" 8 8
look "$A" 108 8
look "$A" 208 8
t dmsetup remove all
say 'chunks of no power of two, and an offset'
stamp "$A" 512
t dmsetup create one --table "0 24 unstriped 2 12 1 $A 40"
look /dev/mapper/one 0 24
t blkdiscard -z -o 4096 -l 4096 /dev/mapper/one
look "$A" 40 48
t dmsetup remove one
say 'behind another line'
stamp "$A" 512
t dmsetup create two --table "0 16 linear $A 0
16 16 unstriped 2 8 1 $A 40"
look /dev/mapper/two 16 16
t dmsetup remove two
say 'tables'
try '0 64 unstriped 2 8 0 /dev/vda 0'
try '0 64 unstriped 2 8 1 /dev/vda 0'
try '0 64 unstriped 2 8 2 /dev/vda 0'
try '0 64 unstriped 2 8 3 /dev/vda 0'
try '0 64 unstriped 1 8 0 /dev/vda 0'
try '0 64 unstriped 1 8 1 /dev/vda 0'
try '0 64 unstriped 1 8 7 /dev/vda 0'
try '0 64 unstriped 0 8 0 /dev/vda 0'
try '0 64 unstriped x 8 0 /dev/vda 0'
try '0 64 unstriped 2 0 0 /dev/vda 0'
try '0 64 unstriped 2 x 0 /dev/vda 0'
try '0 64 unstriped 2 8 x /dev/vda 0'
try '0 64 unstriped 2 8 -1 /dev/vda 0'
try '0 64 unstriped 2 8 0 /dev/vda x'
try '0 64 unstriped 2 8 0 /dev/vda 0x'
try '0 64 unstriped 2 8 0 /dev/nothing 0'
try '0 64 unstriped 2 8 0 /dev/vda'
try '0 64 unstriped 2 8 0'
try '0 64 unstriped'
try '0 64 unstriped 2 8 0 /dev/vda 0 more'
try '0 64 unstriped 2 12 0 /dev/vda 0'
try '0 60 unstriped 2 12 0 /dev/vda 0'
try '0 64 unstriped 2 128 0 /dev/vda 0'
try '0 64 unstriped 4294967295 8 0 /dev/vda 0'
try '0 64 unstriped 4294967296 8 0 /dev/vda 0'
try '0 64 unstriped 2 4294967296 0 /dev/vda 0'
try '0 64 unstriped 2 8 1 /dev/vda 32640'
try '0 64 unstriped 2 8 1 /dev/vda 32704'
try '0 64 unstriped 2 8 1 /dev/vda 32705'
try '0 16384 unstriped 2 8 1 /dev/vda 0'
try '0 16392 unstriped 2 8 1 /dev/vda 0'
t dmsetup create it --table '0 64 unstriped 2 8 1 /dev/vda 0'
t dmsetup message it 0 hello
t dmsetup remove it
dmsetup targets | grep '^unstriped '
