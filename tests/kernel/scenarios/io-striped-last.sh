# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Striped: the last chunk, past the end, and as a line after another.
stamp "$A" 4096
stamp "$B" 4096
t dmsetup create one --table '0 7 linear /dev/vda 3000
7 80 striped 2 8 /dev/vda 0 /dev/vdb 0
87 13 zero
100 72 striped 3 12 /dev/vda 100 /dev/vda 200 /dev/vdb 300'
look /dev/mapper/one 0 172
look /dev/mapper/one 6 10
look /dev/mapper/one 14 2
look /dev/mapper/one 86 2
look /dev/mapper/one 99 3
look /dev/mapper/one 111 2
look /dev/mapper/one 171 1
look /dev/mapper/one 171 2
look /dev/mapper/one 170 8
mark /dev/mapper/one 5 20 x
mark /dev/mapper/one 165 7 y
look /dev/mapper/one 0 172
look "$A" 0 40
look "$B" 0 40
look "$A" 195 40
look "$B" 295 40
