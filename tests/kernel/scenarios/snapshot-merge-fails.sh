# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2086,SC2094,SC2002,SC2046
# A merge whose origin fails, and one of a snapshot that is invalid.
BS=4K
stamp "$A" 256
state() {
	count=0
	while [ $count -lt 100 ]; do
		set -- $(dmsetup status mrg)
		case $4 in */*) [ "${4%/*}" != "$5" ] || break ;; *) break ;; esac
		sleep 0.05
		count=$((count + 1))
	done
	echo "$(dmsetup status mrg), event $(dmsetup info -c --noheadings -o events mrg)"
}
t dmsetup create real --table "0 256 linear $A 0"
t dmsetup create cow --table "0 256 linear $B 0"
t dmsetup create snap --table '0 256 snapshot /dev/mapper/real /dev/mapper/cow P 8'
for i in 0 2 4; do mark /dev/mapper/snap $((i * 8)) 8 a; done
t dmsetup remove snap
t dmsetup load real --table "0 32 linear $A 0
32 8 error
40 216 linear $A 40"
t dmsetup resume real
t dmsetup create mrg --table '0 256 snapshot-merge /dev/mapper/real /dev/mapper/cow P 8'
state
look /dev/mapper/mrg 0 32
mark /dev/mapper/mrg 64 8 b
mark /dev/mapper/mrg 32 8 b
t dmsetup load real --table "0 256 linear $A 0"
t dmsetup resume real
t dmsetup suspend mrg
t dmsetup resume mrg
state
t dmsetup remove mrg
t dmsetup create mrg --table '0 256 snapshot-merge /dev/mapper/real /dev/mapper/cow P 8'
state
look "$A" 0 72
t dmsetup remove mrg
say 'an invalid one'
printf '\0' | dd of="$B" bs=1 seek=4 conv=notrunc,fsync status=none
t dmsetup create mrg --table '0 256 snapshot-merge /dev/mapper/real /dev/mapper/cow P 8'
state
look /dev/mapper/mrg 0 24
mark /dev/mapper/mrg 16 8 b
look "$A" 0 24
