# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A merge that cannot go on, for the device that it writes to is suspended: what is read and written meanwhile.
BS=4K
stamp "$A" 512
t dmsetup create real --table "0 512 linear $A 0"
t dmsetup create cow --table "0 512 linear $B 0"
t dmsetup create snap --table '0 512 snapshot /dev/mapper/real /dev/mapper/cow P 16'
for i in 0 2 4 9; do mark /dev/mapper/snap $((i * 16)) 8 a; done
t dmsetup remove snap
t dmsetup create mrg --notable
t dmsetup load mrg --table '0 512 snapshot-merge /dev/mapper/real /dev/mapper/cow P 16'
t dmsetup suspend real
t dmsetup resume mrg
dmsetup status mrg
look /dev/mapper/mrg 144 8
behind write mark /dev/mapper/mrg 146 4 b
waits write
t dmsetup resume real
ends write
count=0
while [ $count -lt 200 ]; do
	set -- $(dmsetup status mrg)
	case $4 in */*) [ "${4%/*}" != "$5" ] || break ;; *) break ;; esac
	sleep 0.05
	count=$((count + 1))
done
dmsetup status mrg
look /dev/mapper/mrg 0 160
look "$A" 0 160
mark /dev/mapper/mrg 0 8 c
look "$A" 0 16
t dmsetup remove mrg
