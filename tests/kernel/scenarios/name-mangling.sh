# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What --manglename none, auto and hex do, and what mangle repairs.
t dmsetup create --manglename none 'a b' --table '0 8 zero'
t dmsetup ls --manglename none
t dmsetup ls
t dmsetup create --manglename hex 'c d' --table '0 8 zero'
t dmsetup create --manglename auto 'e f' -u 'u v' --table '0 8 zero'
t dmsetup ls --manglename none
t dmsetup ls --manglename hex
t dmsetup ls --manglename auto
t dmsetup info -c --manglename none -o name,uuid
t dmsetup mangle 'a b'
t dmsetup mangle
t dmsetup ls --manglename none
t dmsetup remove --manglename none 'c\x20d'
t dmsetup create --manglename hex 'x\x20y' --table '0 8 zero'
t dmsetup create --manglename auto 'x\x20y' --table '0 8 zero'
t dmsetup create --manglename sideways z --table '0 8 zero'
t dmsetup ls --manglename none
