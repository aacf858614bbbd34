# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# What else is shown of a snapshot and its origin.
t dmsetup create real --table "0 1024 linear $A 0"
t dmsetup create cow --table "0 512 linear $B 0"
t dmsetup create org --table '0 1024 snapshot-origin /dev/mapper/real'
t dmsetup create snap --table '0 1024 snapshot /dev/mapper/real /dev/mapper/cow P 16'
t dmsetup deps -o devname
t dmsetup ls --tree -o nodevice
t dmsetup info -c -o name,open,segments,events,read_only
for d in org snap; do
	t dmsetup table $d
	t dmsetup status $d
	t dmsetup status --noflush $d
	size /dev/mapper/$d
done
t dmsetup ls --target snapshot
t dmsetup ls --target snapshot-origin
dmsetup targets | grep snapshot | sort
t dmsetup load snap --table '0 1024 snapshot /dev/mapper/real /dev/mapper/cow PO 32'
t dmsetup table --inactive snap
t dmsetup clear snap
for d in real cow; do t dmsetup remove $d; done
t dmsetup suspend snap
t dmsetup status snap
t dmsetup info snap
t dmsetup resume snap
t dmsetup remove snap
t dmsetup remove cow
t dmsetup ls --tree -o nodevice
