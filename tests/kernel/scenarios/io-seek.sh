# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Seeking beyond the end of a device.
t dmsetup create one --table '0 100 linear /dev/vda 0'
t dd if=/dev/mapper/one bs=512 skip=101 count=1 status=none
t dd if=/dev/zero of=/dev/mapper/one bs=512 seek=101 count=1 conv=notrunc status=none
look /dev/mapper/one 300 1
