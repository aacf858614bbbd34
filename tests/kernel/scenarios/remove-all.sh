# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# remove_all: devices in use stay, unless it is forced, and deferred.
t dmsetup create one --table '0 64 zero'
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
t dmsetup create three --table '0 64 linear /dev/mapper/two 0'
t dmsetup create four --table '0 64 zero'
exec 3</dev/mapper/four
t dmsetup remove_all
t dmsetup ls
t dmsetup create one --table '0 64 zero'
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
t dmsetup remove_all --deferred
t dmsetup info -c
exec 3<&-
t dmsetup info -c
t dmsetup create five -n
t dmsetup create six --table '0 8 zero'
t dmsetup suspend six
t dmsetup remove_all
t dmsetup ls
