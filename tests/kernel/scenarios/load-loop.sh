# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A table that would map a device to itself, two devices away: the kernel accepts it.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup create two --table '0 64 linear /dev/mapper/one 0'
t dmsetup load one --table '0 64 linear /dev/mapper/two 0'
t dmsetup clear one
