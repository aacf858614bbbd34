# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# remove --retry tries again until the program that has it open closes it.
t dmsetup create one --table '0 8 zero'
exec 3</dev/mapper/one
sleep 4 <&3 3<&- &
exec 3<&-
t dmsetup remove one
t dmsetup remove --retry one | uniq
t dmsetup ls
