# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Tables loaded and resumed repeatedly, with I/O in between; no sector is lost.
stamp "$A" 512
stamp "$B" 512
t dmsetup create one --table '0 256 linear /dev/vda 0'
n=0
while [ $n -lt 8 ]; do
	case $((n % 4)) in
	0) table='0 256 linear /dev/vdb 0' ;;
	1) table='0 256 striped 2 16 /dev/vda 0 /dev/vdb 0' ;;
	2) table='0 128 linear /dev/vda 128
128 128 linear /dev/vdb 128' ;;
	3) table='0 256 linear /dev/vda 0' ;;
	esac
	dmsetup load one --table "$table"
	dmsetup resume one
	mark /dev/mapper/one $((n * 20)) 20 "n$n-"
	look /dev/mapper/one $((n * 20 - n)) 40
	n=$((n + 1))
done
look "$A" 0 256
look "$B" 0 256
