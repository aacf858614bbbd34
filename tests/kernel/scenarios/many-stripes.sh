# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A striped line with a hundred legs, and one leg too many for its words.
legs=$(seq 0 99 | awk '{ printf " /dev/vd%s %d", $1 % 2 ? "b" : "a", int($1 / 2) * 64 }')
stamp "$A"
stamp "$B"
t dmsetup create one --table "0 1600 striped 100 8$legs" >said
tail -n 1 said | cut -c1-60
dmsetup table one | tr ' ' '\n' | grep -c :
dmsetup status one | tail -c 104
t dmsetup deps one
look /dev/mapper/one 0 40
look /dev/mapper/one 792 24
look /dev/mapper/one 1592 8
mark /dev/mapper/one 796 8 x
look "$B" 3132 12
look "$A" 8 8
t dmsetup create two --table "0 1616 striped 101 8$legs" >said
tail -n 3 said
