# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Loading while suspended, resuming with that, suspending twice, clear while suspended.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup suspend one
t dmsetup info one
t dmsetup suspend one
t dmsetup load one --table '0 64 linear /dev/vda 32'
t dmsetup info -c one
t dmsetup clear one
t dmsetup info -c one
t dmsetup load one --table '0 32 linear /dev/vda 32'
t dmsetup resume one
t dmsetup info -c one
look /dev/mapper/one 0 8
t dmsetup suspend --noflush one
t dmsetup resume --noflush one
t dmsetup suspend --nolockfs one
t dmsetup resume --nolockfs one
t dmsetup suspend nothing
t dmsetup resume nothing
t dmsetup clear nothing
t dmsetup suspend
t dmsetup resume
t dmsetup info one
