# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A device without a table: what it is, what it can do, what it is after load and resume.
t dmsetup create bare --notable
t dmsetup info bare
t dmsetup table bare
t dmsetup status bare
t dmsetup deps bare
size /dev/mapper/bare
t dd if=/dev/mapper/bare bs=512 count=1 status=none
mark /dev/mapper/bare 0 1
t dmsetup suspend bare
t dmsetup info -c bare
t dmsetup resume bare
t dmsetup info -c bare
t dmsetup load bare --table '0 64 linear /dev/vda 0'
t dmsetup info bare
t dmsetup table bare
t dmsetup table --inactive bare
t dmsetup resume bare
t dmsetup table bare
t dmsetup info bare
size /dev/mapper/bare
t dmsetup remove bare
t dmsetup ls
