# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# The devices of a snapshot, a merge and an origin: which are refused.
# Linux 6.1 differs: it says ENODEV of a device that is not there.
t dmsetup create real --table "0 1024 linear $A 0"
t dmsetup create cow --table "0 512 linear $B 0"
try() {
	t dmsetup create it --table "$1" >said || { cat said; return; }
	head -n 1 said
	dmsetup table it
	dmsetup remove it
}
try '0 1024 snapshot'
try '0 1024 snapshot /dev/mapper/real /dev/mapper/real P 16'
try '0 1024 snapshot /dev/mapper/nothing /dev/mapper/cow P 16'
try '0 1024 snapshot /dev/mapper/real /dev/mapper/nothing P 16'
try '0 1032 snapshot /dev/mapper/real /dev/mapper/cow P 16'
try '0 512 snapshot /dev/mapper/real /dev/mapper/cow P 16'
try '0 1001 snapshot /dev/mapper/real /dev/mapper/cow P 16'
try '0 1024 snapshot-merge /dev/mapper/real /dev/mapper/cow P 16'
try '0 1024 snapshot-merge /dev/mapper/real /dev/mapper/cow PO 16 1 discard_zeroes_cow'
try '0 1024 snapshot-origin'
try '0 1024 snapshot-origin /dev/mapper/real'
try '0 1024 snapshot-origin /dev/mapper/real 0'
try '0 512 snapshot-origin /dev/mapper/real'
try '0 1032 snapshot-origin /dev/mapper/real'
