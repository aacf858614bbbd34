# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror: it, a leg, or the log is suspended.
BS=8K
stamp "$A" 128
stamp "$B" 128
t dmsetup create one --table "0 128 linear $A 0"
t dmsetup create two --table "0 128 linear $B 0"
t dmsetup create log --table "0 16 linear $B 4096"
t dmsetup create it --table '0 128 mirror disk 3 /dev/mapper/log 16 nosync 2 /dev/mapper/one 0 /dev/mapper/two 0 1 handle_errors'
say 'a leg'
t dmsetup suspend two
behind write mark /dev/mapper/it 16 16 x
waits write
look "$A" 16 16
dmsetup status it
t dmsetup resume two
ends write
look "$B" 16 16
say 'the mirror'
t dmsetup suspend it
behind write mark /dev/mapper/it 32 16 y
waits write
dmsetup status it
t dmsetup resume it
ends write
look "$B" 32 16
say 'a leg has another table'
t dmsetup load two --table "0 128 linear $B 1024"
t dmsetup suspend two
behind write mark /dev/mapper/it 48 16 z
waits write
t dmsetup resume two
ends write
look "$B" 48 16
look "$B" 1072 16
dmsetup status it
