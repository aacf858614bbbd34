# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Tables of thousands of lines: created, printed, read through, extended and replaced.
seq 0 1999 | awk '{ print $1 * 8, 8, "linear", ($1 % 2) ? "/dev/vda" : "/dev/vdb", $1 * 16 }' >table
stamp "$A"
stamp "$B"
t dmsetup create one table
dmsetup table one | wc -l
dmsetup table one | sed -n '1p;2p;1000p;2000p'
dmsetup status one | wc -l
t dmsetup info one
t dmsetup deps one
look /dev/mapper/one 0 32
look /dev/mapper/one 7996 16
look /dev/mapper/one 15992 8
look /dev/mapper/one 15992 9
mark /dev/mapper/one 8000 40 x
look "$A" 16000 90
look "$B" 16000 90
seq 0 15999 | awk '{ print $1, 1, "linear /dev/vda", 16000 - $1 }' >fine
t dmsetup load one fine
dmsetup table --inactive one | wc -l
t dmsetup resume one
look /dev/mapper/one 0 40
look /dev/mapper/one 15990 10
dmsetup table one | tail -n 1
t dmsetup info -c one
echo '15 8 linear /dev/vda 0' >>table
t dmsetup load one table
t dmsetup info -c one
