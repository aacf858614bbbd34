# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Concise tables: several devices at once, their flags, uuids and minors, and invalid ones.
t dmsetup create --concise 'a,UA,,ro,0 8 linear /dev/vda 0,8 8 zero;b,,7,rw,0 16 error'
t dmsetup info -c -o name,uuid,major,minor,attr
t dmsetup table --concise
t dmsetup table --concise a
t dmsetup create --concise 'c,,,,0 8 linear /dev/mapper/b 8'
t dmsetup table --concise c
t dmsetup create --concise 'd,,,,0 8 nonsense'
t dmsetup create --concise 'e,,,,0 8 zero;a,,,,0 8 zero'
t dmsetup create --concise 'f,,'
t dmsetup create --concise ''
t dmsetup create --concise 'g'
t dmsetup create --concise 'h,,,sideways,0 8 zero'
t dmsetup create --concise 'i\,comma,,,,0 8 zero'
t dmsetup ls
t dmsetup info -c -o name,uuid,major,minor,attr
