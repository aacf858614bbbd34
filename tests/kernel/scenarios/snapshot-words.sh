# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# The words of a snapshot.
t dmsetup create cow --table "0 512 linear $B 0"
try() {
	dd if=/dev/zero of="$B" bs=512K count=1 oflag=direct conv=notrunc status=none
	t dmsetup create it --table "0 1024 snapshot $A /dev/mapper/cow$1" || return 0
	dmsetup table it
	dmsetup status it
	dmsetup remove it
}
try ''
for kind in P p N n PO po Po pO NO O PP PN X ''; do try " $kind 16"; done
try ' P'
try ' P 16 0'
try ' P 16 1'
try ' P 16 x'
try ' P 16 -1'
try ' P 16 1 discard'
try ' P 16 1 discard_zeroes_cow'
try ' PO 16 1 discard_zeroes_cow'
try ' N 16 1 discard_passdown_origin'
try ' N 16 2 discard_zeroes_cow discard_passdown_origin'
try ' P 16 2 discard_passdown_origin discard_zeroes_cow'
try ' P 16 2 discard_zeroes_cow discard_zeroes_cow'
try ' P 16 2 discard_zeroes_cow'
try ' P 16 1 discard_zeroes_cow more'
try ' P 16 3 discard_zeroes_cow discard_passdown_origin discard_zeroes_cow'
try ' P 16 more'
t dmsetup message cow 0 hello
t dmsetup create it --table "0 1024 snapshot $A /dev/mapper/cow N 16"
t dmsetup message it 0 hello
t dmsetup message it 0
