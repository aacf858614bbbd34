# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# Who waits for an event of a snapshot is told that it is invalid.
BS=4K
stamp "$A" 256
t dmsetup create org --table "0 256 snapshot-origin $A"
t dmsetup create cow --table "0 32 linear $B 0"
t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow P 8"
event() { dmsetup info -c --noheadings -o events "$1"; }
number=$(event snap)
behind wait dmsetup wait snap "$number"
waits wait
for i in 0 8 16; do mark /dev/mapper/org $i 8 a; done
ends wait
echo "events: $(($(event snap) - number)), of the origin $(event org), of the store $(event cow)"
t dmsetup status snap
say 'that a merge has ended is none'
dmsetup remove snap
dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
t dmsetup create snap --table "0 256 snapshot $A /dev/mapper/cow P 8"
mark /dev/mapper/snap 8 8 b
dmsetup suspend snap
dmsetup suspend org
t dmsetup create real --table "0 256 linear $A 0"
dmsetup remove snap
dmsetup resume org
dmsetup remove org
t dmsetup create mrg --notable
t dmsetup load mrg --table '0 256 snapshot-merge /dev/mapper/real /dev/mapper/cow P 8'
dmsetup suspend real
t dmsetup resume mrg
number=$(event mrg)
behind merge dmsetup wait mrg "$number"
waits merge
dmsetup status mrg
t dmsetup resume real
count=0
while [ $count -lt 100 ] && ! dmsetup status mrg | grep -q ' 16/32 16'; do sleep 0.1; count=$((count + 1)); done
dmsetup status mrg
waits merge
look "$A" 0 24
dmsetup remove --force mrg
ends merge
