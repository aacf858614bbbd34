# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror: the log cannot be written, from the beginning and later.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
stamp "$A" 128
stamp "$B" 128
t dmsetup create log --table '0 16 error'
say 'from the beginning'
t dmsetup create it --table "0 128 mirror disk 2 /dev/mapper/log 16 2 $A 0 $B 0 1 handle_errors"
t dmsetup status it
look /dev/mapper/it 0 16
t dmsetup remove it
say 'later, held'
t dmsetup load log --table "0 16 linear $B 4096"
t dmsetup resume log
t dmsetup create it --table "0 128 mirror disk 3 /dev/mapper/log 16 nosync 2 $A 0 $B 0 1 handle_errors"
seen it
t dmsetup load log --table '0 16 error'
t dmsetup suspend --noflush log
t dmsetup resume log
number=$(dmsetup info -c --noheadings -o events it)
behind event dmsetup wait it "$number"
behind write mark /dev/mapper/it 32 16 x
ends event
waits write
dmsetup status it
look /dev/mapper/it 64 16
t dmsetup load it --table "0 128 mirror core 2 16 nosync 2 $A 0 $B 0 1 handle_errors"
t dmsetup suspend --noflush it
t dmsetup resume it
ends write
look "$A" 32 16
look "$B" 32 16
t dmsetup remove it
