# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# snapshot-merge takes over from the snapshot, and puts what it has back to the origin.
BS=4K
stamp "$A" 1024
t dmsetup create cow --table "0 512 linear $B 0"
t dmsetup create org --table "0 1024 snapshot-origin $A"
t dmsetup create snap --table "0 1024 snapshot $A /dev/mapper/cow P 8"
mark /dev/mapper/org 8 8 a
mark /dev/mapper/org 104 56 b
mark /dev/mapper/snap 200 8 c
t dmsetup status snap
merged() {
	count=0
	while [ $count -lt 200 ]; do
		set -- $(dmsetup status org)
		case $4 in */*) [ "${4%/*}" != "$5" ] || break ;; *) break ;; esac
		sleep 0.05
		count=$((count + 1))
	done
}
t dmsetup load org --table "0 1024 snapshot-merge $A /dev/mapper/cow P 8"
t dmsetup load snap --table '0 1024 error'
t dmsetup suspend snap
t dmsetup suspend org
t dmsetup resume org
t dmsetup table org
t dmsetup resume snap
merged
t dmsetup status org
t dmsetup info -c --noheadings -o name,events org
look /dev/mapper/org 0 256
look "$A" 0 256
mark /dev/mapper/org 16 8 e
t dmsetup status org
raw /dev/mapper/cow 0 16 | od -A d -t x8 | head -n 6
say 'back to an origin'
t dmsetup load org --table "0 1024 snapshot-origin $A"
t dmsetup resume org
t dmsetup status org
t dmsetup remove snap
t dmsetup remove cow
say 'at the next activation'
t dmsetup create cow --table "0 512 linear $B 1024"
t dmsetup create snap --table "0 1024 snapshot $A /dev/mapper/cow PO 16"
mark /dev/mapper/org 0 16 f
mark /dev/mapper/snap 504 96 g
t dmsetup remove snap
t dmsetup remove org
t dmsetup create org --table "0 1024 snapshot-merge $A /dev/mapper/cow PO 16"
merged
t dmsetup status org
look /dev/mapper/org 0 32
look /dev/mapper/org 490 120
