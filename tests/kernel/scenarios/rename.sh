# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Renaming: to its own name, to another's name, while suspended, while open, while used by a table.
t dmsetup create one --table '0 8 zero'
t dmsetup create two --table '0 8 linear /dev/mapper/one 0'
t dmsetup rename one uno
t dmsetup ls
t dmsetup table two
t dmsetup deps -o devname two
t dmsetup rename uno uno
t dmsetup rename uno two
t dmsetup rename nothing thing
t dmsetup rename uno ''
t dmsetup rename uno
t dmsetup rename uno 'with space'
t dmsetup rename 'with space' with/slash
t dmsetup rename 'with space' uno
exec 3</dev/mapper/uno
t dmsetup rename uno one
exec 3<&-
t dmsetup suspend one
t dmsetup rename one eins
t dmsetup info eins
t dmsetup resume eins
ls /dev/mapper
look /dev/mapper/eins 0 8
t dmsetup info -c
