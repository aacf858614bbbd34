# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Discard through linear: what can be discarded, its edges, and a read-only device.
stamp "$A" 256
t dmsetup create one --table '0 128 linear /dev/vda 64'
t blkdiscard -o 4096 -l 8192 /dev/mapper/one
look "$A" 60 40
t blkdiscard -o 512 -l 512 /dev/mapper/one
t blkdiscard -o 100 -l 512 /dev/mapper/one
t blkdiscard -o 512 -l 100 /dev/mapper/one
t blkdiscard -o 65536 -l 512 /dev/mapper/one
t blkdiscard -o 65024 -l 1024 /dev/mapper/one
t blkdiscard -o 70000 /dev/mapper/one
t blkdiscard -v -p 16384 /dev/mapper/one
look "$A" 60 140
t blkdiscard -s /dev/mapper/one
t dmsetup create two --readonly --table '0 32 linear /dev/vda 0'
t blkdiscard /dev/mapper/two
t blkdiscard -z /dev/mapper/two
look "$A" 0 32
