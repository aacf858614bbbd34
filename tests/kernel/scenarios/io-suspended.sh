# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# I/O waits while a device is suspended, and then continues with the table that is active then.
stamp "$A" 256
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup suspend one
behind reader look /dev/mapper/one 0 8
behind writer mark /dev/mapper/one 8 8 x
waits reader
waits writer
t dmsetup info -c one
look "$A" 8 8
t dmsetup load one --table '0 64 linear /dev/vda 128'
waits reader
t dmsetup resume one
ends reader
ends writer
look "$A" 0 16
look "$A" 128 20
t dmsetup info -c one
