# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Who uses a device exclusively: opening with O_EXCL (as blkdiscard does) against tables and against O_EXCL.
excl() { t blkdiscard -z -l 512 "$1"; }
t dmsetup create one --table '0 64 linear /dev/vda 64'
excl /dev/mapper/one
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
excl /dev/mapper/one
excl /dev/mapper/two
t dmsetup create three --table '0 64 linear /dev/mapper/one 0'
t dmsetup remove one
t dmsetup remove three
t dmsetup remove two
excl /dev/mapper/one
t dmsetup load one --table '0 64 linear /dev/vdb 64'
excl /dev/vda
excl /dev/vdb
t dmsetup clear one
excl /dev/vdb
say 'a holder that waits in a suspended device'
t dmsetup suspend one
behind holder blkdiscard -z -l 512 /dev/mapper/one
waits holder
t dmsetup create four --table '0 64 linear /dev/mapper/one 0'
excl /dev/mapper/one
t dmsetup remove one
t dmsetup info -c one
t dmsetup resume one
ends holder
t dmsetup create four --table '0 64 linear /dev/mapper/one 0'
t dmsetup create five --table '0 64 linear /dev/vda 0'
t dmsetup remove four one five
excl /dev/vda
