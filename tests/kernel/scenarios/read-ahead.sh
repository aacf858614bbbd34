# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Read-ahead: the default, what create sets, what blockdev sets.
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
