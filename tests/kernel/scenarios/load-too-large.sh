# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A second table that does not fit the device below: the kernel detects that at the resume.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup load one --table '0 32 linear /dev/vda 999999'
t dmsetup info -c one
t dmsetup resume one
t dmsetup table one
