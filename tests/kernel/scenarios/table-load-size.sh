# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Loading checks the current size of the device below, not a previous or future one.
# Linux 6.1 differs: a path that does not exist is ENODEV.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup load one --table '0 128 linear /dev/vda 0'
t dmsetup create two --table '0 128 linear /dev/mapper/one 0'
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
t dmsetup resume one
t dmsetup load two --table '0 128 linear /dev/mapper/one 0'
t dmsetup resume two
size /dev/mapper/two
t dmsetup create three -n
t dmsetup create four --table '0 8 linear /dev/mapper/three 0'
t dmsetup create four --table "0 8 linear $(major):2 0" >four
sed 's/ linear [0-9]*:2 / linear DM:2 /' four
t dmsetup load three --table '0 64 zero'
t dmsetup create five --table "0 8 linear $(major):2 0" >five
sed 's/ linear [0-9]*:2 / linear DM:2 /' five
t dmsetup ls
t dmsetup table
