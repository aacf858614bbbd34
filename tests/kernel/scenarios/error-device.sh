# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Error with the words of a linear line: the device is in use, and must exist; other words are ignored.
# Linux 6.1 differs: all words of an error line are ignored.
try() {
	t dmsetup create it --table "$1"
	t dmsetup info -c --noheadings -o name,attr,open it
	t dmsetup table it
	t dmsetup status it
	t dmsetup deps it
	t dmsetup remove it
}
t dmsetup create low --table "0 64 linear $A 8"
try '0 64 error /dev/mapper/low 0'
try "0 64 error $A 0"
try '0 32 error /dev/mapper/low 32'
try '0 32 error /dev/mapper/low 33'
try '0 32 error /dev/mapper/low 4000000'
try '0 32 error /dev/mapper/low x'
try '0 32 error /dev/mapper/low 8x'
try '0 32 error /dev/mapper/low -1'
try '0 32 error /dev/mapper/none 0'
try '0 32 error none 0'
try '0 32 error /dev/null 0'
try '0 32 error /dev/mapper/low'
try '0 32 error /dev/mapper/low 0 0'
try '0 32 error /dev/mapper/none 0 0'
try "0 8 zero
8 8 error $B 0
16 8 error /dev/mapper/low 0"
t dmsetup create it --table '0 64 error /dev/mapper/low 0'
t dmsetup remove low
t dmsetup info -c --noheadings -o name,open
t dmsetup ls --tree -o ascii,notrunc
look /dev/mapper/it 0 8
t dd if=/dev/zero of=/dev/mapper/it bs=4096 count=1 oflag=direct conv=notrunc,fsync status=none
t dmsetup wipe_table it
t dmsetup deps it
t dmsetup load it --table '0 64 error /dev/mapper/it 0'
t dmsetup load it --readonly --table "0 64 error $A 0"
t dmsetup resume it
t dmsetup info -c --noheadings -o name,attr it
