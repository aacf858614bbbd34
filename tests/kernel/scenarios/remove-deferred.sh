# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A deferred remove waits for the last close.
t dmsetup create one --table '0 64 zero'
exec 3</dev/mapper/one
t dmsetup remove --deferred one
t dmsetup info one
t dmsetup info -c -o name,attr,open one
t dmsetup table one
exec 3<&-
t dmsetup info one
t dmsetup create two --table '0 64 zero'
t dmsetup create three --table '0 64 linear /dev/mapper/two 0'
t dmsetup remove --deferred two
t dmsetup ls
t dmsetup info -c
t dmsetup remove three
t dmsetup ls
t dmsetup create four --table '0 64 zero'
t dmsetup remove --deferred four
t dmsetup ls
t dmsetup create five --table '0 64 zero'
exec 3</dev/mapper/five
t dmsetup remove --deferred five
t dmsetup reload five --table '0 64 error'
t dmsetup rename five cinque
t dmsetup remove cinque
t dmsetup ls
exec 3<&-
t dmsetup ls
t dmsetup remove --deferred nothing
