# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Removing: one device, several, one that does not exist, open ones, ones in use; --retry; --verifyudev and others are
# accepted.
t dmsetup create one --table '0 8 zero'
t dmsetup create two --table '0 8 linear /dev/mapper/one 0'
t dmsetup create three --table '0 8 zero'
t dmsetup remove one
t dmsetup remove nothing
exec 3</dev/mapper/three
t dmsetup info -c
t dmsetup remove three
t dmsetup remove two three
t dmsetup info -c
exec 3<&-
t dmsetup remove three
t dmsetup remove one
t dmsetup ls
ls /dev/mapper
t dmsetup create four --table '0 8 zero'
t dmsetup suspend four
t dmsetup remove four
t dmsetup remove
t dmsetup create five -n
t dmsetup remove --noudevsync --noudevrules five
t dmsetup remove_all
t dmsetup ls
