# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Linear, striped, zero and error in one table, stacked, with one more device on top.
stamp "$A" 2048
stamp "$B" 2048
t dmsetup create low --table '0 64 linear /dev/vda 512
64 64 striped 2 16 /dev/vda 1024 /dev/vdb 1024
128 16 zero
144 16 error
160 96 linear /dev/vdb 100'
t dmsetup create high --table '0 100 linear /dev/mapper/low 28
100 28 zero
128 64 striped 2 8 /dev/mapper/low 160 /dev/mapper/low 192'
t dmsetup table
t dmsetup deps
look /dev/mapper/low 0 144
look /dev/mapper/low 144 8
look /dev/mapper/low 160 96
look /dev/mapper/high 0 128
look /dev/mapper/high 30 70
look /dev/mapper/high 128 64
mark /dev/mapper/high 30 40 x
look "$A" 512 64
look "$A" 1024 32
look "$B" 1024 32
mark /dev/mapper/high 120 40 y
look "$B" 100 96
t dmsetup status
