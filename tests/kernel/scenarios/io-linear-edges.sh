# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Linear: reads and writes at and across the edges of a line and of the device.
stamp "$A" 4096
stamp "$B" 4096
t dmsetup create one --table '0 100 linear /dev/vda 1000
100 28 linear /dev/vdb 2000
128 72 linear /dev/vda 3000'
for at in '0 1' '99 1' '100 1' '99 2' '96 8' '127 1' '127 2' '120 16' '0 200' '192 8' '199 1' '199 2' '200 1' '196 8'; do
	look /dev/mapper/one $at
done
mark /dev/mapper/one 98 4 x
mark /dev/mapper/one 126 4 y
mark /dev/mapper/one 199 1 z
mark /dev/mapper/one 199 2 w
mark /dev/mapper/one 200 1 v
look "$A" 1096 6
look "$B" 1998 32
look "$A" 2998 8
look "$A" 3070 4
t cmp -n 51200 /dev/mapper/one /dev/vda -i 0:512000
