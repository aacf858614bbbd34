# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# The words of a mirror.
# Linux 6.1 differs: it says ENODEV of a device that is not there.
t dmsetup create log --table "0 64 linear $B 8192"
try() {
	t dmsetup create it --table "0 128 mirror$1" || return 0
	dmsetup table it
	dmsetup remove it
}
legs="2 $A 0 $B 0"
try ''
try ' core'
try " core 0 $legs"
try " core 1 16 $legs"
try " core 2 16 $legs"
try " core 2 16 nosync $legs"
try " core 2 16 sync $legs"
try " core 2 16 NOSYNC $legs"
try " core 3 16 nosync block_on_error $legs"
try " core 2 16 block_on_error $legs"
try " core x 16 $legs"
try " mem 1 16 $legs"
try " disk 1 /dev/mapper/log $legs"
try " disk 2 /dev/mapper/log 16 $legs"
try " disk 3 /dev/mapper/log 16 nosync $legs"
try " disk 3 /dev/mapper/nothing 16 nosync $legs"
try " disk 2 16 /dev/mapper/log $legs"
try " core 2 16 nosync 2 $A 0 $B"
try " core 2 16 nosync 2 $A 0"
try " core 2 16 nosync 2 $A 0 $B 0 0"
try " core 2 16 nosync 2 $A x $B 0"
try " core 2 16 nosync 2 $A 0 $B 40000"
try " core 2 16 nosync 2 $A 0 /dev/mapper/nothing 0"
try " core 2 16 nosync $legs 1"
try " core 2 16 nosync $legs 1 handle_errors"
try " core 2 16 nosync $legs 1 keep_log"
try " core 2 16 nosync $legs 2 handle_errors keep_log"
try " core 2 16 nosync $legs 2 keep_log handle_errors"
try " core 2 16 nosync $legs 1 handle_error"
try " core 2 16 nosync $legs 2 handle_errors"
try " core 2 16 nosync $legs 3 handle_errors keep_log handle_errors"
try " core 2 16 nosync $legs 1 handle_errors more"
t dmsetup create it --table "0 128 mirror core 2 16 nosync $legs"
t dmsetup message it 0 hello
dmsetup targets | grep mirror
t dmsetup measure it
