# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A store or an origin that fails.
BS=4K
at() { echo "$(dmsetup status snap), event $(dmsetup info -c --noheadings -o events snap)"; }
new() {
	dd if=/dev/zero of="$B" bs=64K count=1 oflag=direct conv=notrunc status=none
	stamp "$A" 256
	dmsetup create real --table "${1:-0 256 linear $A 0}"
	dmsetup create cow --table "0 256 linear $B 0"
	dmsetup create org --table '0 256 snapshot-origin /dev/mapper/real'
	dmsetup create snap --table "0 256 snapshot /dev/mapper/real /dev/mapper/cow $2 8"
}
fails() {
	dmsetup load cow --table '0 256 error'
	dmsetup suspend --noflush --nolockfs cow
	dmsetup resume cow
}
gone() { for d in snap org cow real; do dmsetup remove $d; done; }
BAD="0 64 linear $A 0
64 64 error
128 128 linear $A 128"
say 'the store fails when the origin is written to'
new '' PO
mark /dev/mapper/snap 0 8 a
fails
mark /dev/mapper/org 64 8 b
look /dev/mapper/org 64 8
at
look /dev/mapper/snap 0 8
look /dev/mapper/snap 128 8
gone
say 'the store fails when the snapshot is written to'
new '' N
mark /dev/mapper/snap 0 8 a
fails
look /dev/mapper/snap 0 8
mark /dev/mapper/snap 0 8 b
at
mark /dev/mapper/snap 64 8 b
at
gone
say 'the origin fails'
new "$BAD" P
look /dev/mapper/snap 64 8
mark /dev/mapper/snap 64 8 b
at
look /dev/mapper/snap 64 8
mark /dev/mapper/org 80 8 b
at
gone
