# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What a failed load leaves in both slots.
# Linux 6.1 differs: a path that does not exist is ENODEV.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup load one --table '0 32 linear /dev/vda 32'
t dmsetup load one --table '0 32 nonsense'
t dmsetup table one
t dmsetup table --inactive one
t dmsetup info -c one
t dmsetup load one --table '0 32 linear /dev/vda 32'
t dmsetup load one --table '0 32 linear /dev/nothing 0'
t dmsetup table --inactive one
t dmsetup resume one
t dmsetup table one
t dmsetup load nothing --table '0 8 zero'
t dmsetup load one
t dmsetup load one </dev/null
t dmsetup table --inactive one
t dmsetup info -c one
