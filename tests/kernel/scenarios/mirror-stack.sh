# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# A mirror on a mirror, one in the middle of a table, one on striped lines.
BS=8K
stamp "$A" 512
stamp "$B" 512
t dmsetup create low --table "0 128 mirror core 2 16 nosync 2 $A 0 $B 0"
t dmsetup create high --table "0 128 mirror core 2 32 nosync 2 /dev/mapper/low 0 $B 1024"
mark /dev/mapper/high 16 32 x
look "$A" 0 64
look "$B" 0 64
look "$B" 1024 64
look /dev/mapper/high 0 64
t dmsetup ls --tree -o nodevice
t dmsetup remove low
t dmsetup remove high
t dmsetup remove low
say 'as pvmove has it'
t dmsetup create move --table "0 64 linear $A 0
64 64 mirror core 1 16 2 $A 64 $B 2048 1 handle_errors
128 64 linear $B 128"
t dmsetup create lv --table '0 192 linear /dev/mapper/move 0'
t within 20 dmsetup wait move 0
t dmsetup status move
mark /dev/mapper/lv 48 32 y
look /dev/mapper/lv 0 192
look "$A" 32 64
look "$B" 2048 64
t dmsetup remove lv
t dmsetup remove move
say 'legs that are striped'
t dmsetup create leg --table "0 128 striped 2 16 $A 256 $B 256"
t dmsetup create it --table "0 128 mirror core 1 64 2 $A 0 /dev/mapper/leg 0"
t within 20 dmsetup wait it 0
t dmsetup status it
look /dev/mapper/leg 0 128
