# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Options of table and status: --target, --exec, --showkeys, --noflush, -v, several devices.
t dmsetup create one --table '0 8 zero'
t dmsetup create two --table '0 8 linear /dev/vda 0
8 8 zero'
t dmsetup create three --table '0 8 error'
t dmsetup table --target zero
t dmsetup table --target linear two
t dmsetup status --target error
t dmsetup status --target none
t dmsetup table --showkeys two
t dmsetup status --noflush two
t dmsetup ls --target zero
t dmsetup ls --target linear --exec 'echo found'
t dmsetup ls --exec 'echo all'
t dmsetup table one two
t dmsetup status one three
t dmsetup table nothing
t dmsetup status nothing
t dmsetup table -v two
t dmsetup status -v two
t dmsetup table --target zero one
t dmsetup table --checks one
t dmsetup info one two
