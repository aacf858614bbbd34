# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Striped: read-ahead on a leg that fails is not a failure for the kernel, only the read that follows is.
t dmsetup create bad --table '0 48 error'
t dmsetup create it --table "0 96 striped 2 8 $A 0 /dev/mapper/bad 0"
t dd if=/dev/mapper/it of=/dev/null bs=4096 count=1 status=none
t dmsetup status it
t dd if=/dev/mapper/it of=/dev/null bs=4096 skip=3 count=1 status=none
t dmsetup status it
t dmsetup info -c --noheadings -o events it
