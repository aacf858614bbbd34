# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# fallocate on a device: punched holes and zeroed ranges; what is not possible on a device is refused.
stamp "$A" 256
t dmsetup create one --table '0 128 linear /dev/vda 64'
t fallocate -p -o 4096 -l 4096 /dev/mapper/one
look "$A" 60 40
t fallocate -z -n -o 12288 -l 4096 /dev/mapper/one
look "$A" 60 40
t fallocate -z -o 61440 -l 4096 /dev/mapper/one
t fallocate -z -n -o 61440 -l 8192 /dev/mapper/one
t fallocate -p -o 65536 -l 4096 /dev/mapper/one
t fallocate -p -o 100 -l 4096 /dev/mapper/one
t fallocate -p -o 512 -l 512 /dev/mapper/one
t fallocate -l 4096 /dev/mapper/one
t fallocate -c -o 0 -l 4096 /dev/mapper/one
t fallocate -i -o 0 -l 4096 /dev/mapper/one
look "$A" 60 140
