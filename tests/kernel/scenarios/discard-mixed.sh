# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Discard and zeroes over lines of several types.
# Linux 6.1 differs: zero cannot discard, and then no part of the device can.
stamp "$A" 512
t dmsetup create one --table '0 32 linear /dev/vda 0
32 32 zero
64 32 linear /dev/vda 64'
t blkdiscard -o 8192 -l 32768 /dev/mapper/one
look "$A" 0 128
t blkdiscard -z -o 4096 -l 32768 /dev/mapper/one
look "$A" 0 128
t dmsetup create two --table '0 32 linear /dev/vda 128
32 32 error
64 32 linear /dev/vda 192'
t blkdiscard -z -o 8192 -l 32768 /dev/mapper/two
look "$A" 128 128
t blkdiscard -o 8192 -l 32768 /dev/mapper/two
look "$A" 128 128
t dmsetup create three --table '0 32 linear /dev/mapper/one 0'
t blkdiscard -z -l 4096 /dev/mapper/three
look "$A" 0 16
