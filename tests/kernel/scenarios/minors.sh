# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Minors: the lowest free one, a requested one, one that is taken, one that is too large.
m=$(major)
t dmsetup create one --table '0 8 zero'
t dmsetup create two --table '0 8 zero'
t dmsetup create three --table '0 8 zero'
t dmsetup remove two
t dmsetup create four --table '0 8 zero'
t dmsetup create five -m 20 --table '0 8 zero'
t dmsetup create five -j "$m" -m 20 --table '0 8 zero'
t dmsetup create six --table '0 8 zero'
t dmsetup create seven --major "$m" --minor 20 --table '0 8 zero'
t dmsetup create eight --major "$m" --minor 300 --table '0 8 zero'
t dmsetup create nine --major "$m" --minor 1048575 --table '0 8 zero'
t dmsetup create ten --major "$m" --minor 1048576 --table '0 8 zero'
t dmsetup create eleven --major "$m" --minor -1 --table '0 8 zero'
t dmsetup create twelve --major "$m" --minor word --table '0 8 zero'
t dmsetup create thirteen --major 3 --minor 30 --table '0 8 zero'
t dmsetup info -c
t dmsetup ls
t dmsetup ls -o blkdevname
t dmsetup info -c -j "$m" -m 20
t dmsetup info -j "$m" -m 300
t dmsetup table -j "$m" -m 300
t dmsetup info -j "$m" -m 5
t dmsetup remove -j "$m" -m 300
t dmsetup suspend -j "$m" -m 20
t dmsetup resume -j "$m" -m 20
t dmsetup ls
for block in /sys/block/dm-*; do echo "${block##*/}"; done | sort -V
