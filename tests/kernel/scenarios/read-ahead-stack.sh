# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Preferred sizes and read-ahead of what is on stripes: striped has its own; and they exist from the first load on.
# Linux 6.1 differs: a new table makes read-ahead smaller again, and the sizes of an error line are not those of its
# device.
sizes() { echo "$1: $(blockdev --getra --getioopt --getiomin "/dev/mapper/$1" | tr '\n' ' ')"; }
lines "0 48 striped 2 8 $A 326 $B 1000" "48 216 striped 3 24 $A 0 $A 495 $A 952" "264 96 striped 1 32 $B 517" >table
t dmsetup create low table
sizes low
made() {
	t dmsetup create it --table "$1"
	sizes it
	t dmsetup remove it
}
made '0 16 striped 2 8 /dev/mapper/low 0 /dev/mapper/low 225'
made '0 16 linear /dev/mapper/low 0'
made '0 16 linear /dev/mapper/low 9'
made '0 16 striped 2 8 /dev/mapper/low 0 /dev/mapper/low 225
16 16 linear /dev/mapper/low 0'
made '0 16 linear /dev/mapper/low 0
16 16 striped 2 8 /dev/mapper/low 0 /dev/mapper/low 225'
made "0 16 linear $A 9
16 16 striped 2 8 /dev/mapper/low 0 /dev/mapper/low 225"
made '0 16 error /dev/mapper/low 0'
t dmsetup create it --notable --addnodeoncreate
t dmsetup info -c --noheadings -o name,read_ahead it
t dmsetup load it --table "0 1024 striped 2 512 $A 0 $B 0"
t dmsetup info -c --noheadings -o name,read_ahead it
t dmsetup load it --table "0 4096 striped 2 2048 $A 0 $B 0"
t dmsetup info -c --noheadings -o name,read_ahead it
t dmsetup clear it
t dmsetup info -c --noheadings -o name,read_ahead it
t dmsetup load it --table "0 64 striped 2 8 $A 0 $B 0"
t dmsetup resume it
t dmsetup info -c --noheadings -o name,read_ahead it
