# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# The two slots: load, look at both, clear, load again, resume.
stamp "$A" 64
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup load one --table '0 32 linear /dev/vda 32'
t dmsetup info one
t dmsetup table one
t dmsetup table --inactive one
t dmsetup status one
t dmsetup status --inactive one
t dmsetup deps --inactive one
size /dev/mapper/one
look /dev/mapper/one 0 8
t dmsetup clear one
t dmsetup info -c one
t dmsetup clear one
t dmsetup table --inactive one
t dmsetup load one --table '0 16 zero'
t dmsetup load one --table '0 32 linear /dev/vda 8'
t dmsetup table --inactive one
t dmsetup resume one
t dmsetup info -c one
t dmsetup table one
size /dev/mapper/one
look /dev/mapper/one 0 8
t dmsetup resume one
t dmsetup table one
t dmsetup info one
