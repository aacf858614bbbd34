# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Read-ahead: the default, what create sets, what blockdev sets; what a new table does to it.
# Linux 6.1 differs: a new table makes it smaller again.
t dmsetup create one --table '0 8192 linear /dev/vda 0'
t blockdev --getra /dev/mapper/one
t dmsetup create two --readahead 100 --table '0 8192 linear /dev/vda 0'
t blockdev --getra /dev/mapper/two
t dmsetup create three --readahead none --table '0 8192 linear /dev/vda 0'
t blockdev --getra /dev/mapper/three
t dmsetup create four --readahead +512 --table '0 8192 linear /dev/vda 0'
t blockdev --getra /dev/mapper/four
t dmsetup create five --readahead auto --table '0 8192 linear /dev/vda 0'
t blockdev --getra /dev/mapper/five
t blockdev --setra 1000 /dev/mapper/five
t blockdev --getra /dev/mapper/five
t dmsetup info five
t dmsetup create six --readahead x --table '0 8192 linear /dev/vda 0'
t dmsetup info -c -o name,read_ahead
t dmsetup suspend five
t dmsetup resume five
t blockdev --getra /dev/mapper/five

say "another table"
for ra in 1000 10 0; do
	t blockdev --setra $ra /dev/mapper/five
	t dmsetup load five --table '0 8192 linear /dev/vda 8192'
	t dmsetup resume five
	t blockdev --getra /dev/mapper/five
done
t dmsetup load five --table '0 8192 striped 2 256 /dev/vda 0 /dev/vdb 0'
t blockdev --getra /dev/mapper/five
t dmsetup resume five
t blockdev --getra /dev/mapper/five
t dmsetup load five --table '0 8192 striped 2 64 /dev/vda 0 /dev/vdb 0'
t dmsetup resume five
t blockdev --getra /dev/mapper/five
t dmsetup info -c --noheadings -o name,read_ahead five
t dmsetup wipe_table five
t blockdev --getra /dev/mapper/five
