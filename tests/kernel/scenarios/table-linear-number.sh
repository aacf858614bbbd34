# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Devices by number: decimal, followed by words, unknown ones, itself.
# Linux 6.1 differs: a device that does not exist is ENODEV, and one can be loaded onto itself.
disk=$(stat -c %t "$A")
disk=$((0x$disk))
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup remove it 2>/dev/null
}
try "0 8 linear $disk:0 0"
try "0 8 linear $disk:16 8"
try "0 8 linear $disk:8 8"
try "0 8 linear $disk:0x 8" 
try "0 8 linear $(major):0 8"
try "0 8 linear $(major):77 8"
t dmsetup create one --table '0 8 zero'
t dmsetup load one --table "0 8 linear $(major):0 0"
t dmsetup load one --table '0 8 linear /dev/mapper/one 0'
t dmsetup table --inactive one
t dmsetup resume one
t dmsetup table one
