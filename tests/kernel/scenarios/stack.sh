# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Devices on devices: data passes through all, none can be removed while another uses it, none can be mapped to itself.
# Linux 6.1 differs: a device can be loaded onto itself.
stamp "$A" 1024
t dmsetup create one --table '0 512 linear /dev/vda 512'
t dmsetup create two --table '0 256 linear /dev/mapper/one 256'
t dmsetup create three --table '0 128 linear /dev/mapper/two 128'
look /dev/mapper/three 0 128
mark /dev/mapper/three 10 3 x
look "$A" 904 10
t dmsetup load one --table '0 128 linear /dev/mapper/one 0'
t dmsetup table --inactive one
t dmsetup load one --table '0 512 linear /dev/vda 0'
t dmsetup resume one
look /dev/mapper/three 0 8
t dmsetup create up0 --table '0 512 linear /dev/vda 0'
n=1
while [ $n -le 12 ]; do
	dmsetup create up$n --table "0 $((512 - n)) linear /dev/mapper/up$((n - 1)) 1"
	n=$((n + 1))
done
look /dev/mapper/up12 0 8
t dmsetup remove up11
t dmsetup table up12
