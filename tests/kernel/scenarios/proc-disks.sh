# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2086
# What /proc/partitions and /proc/diskstats contain about mapped devices: which devices, which columns, what was read
# and written.
show() {
	grep ' dm-' /proc/partitions | sed "s/^ $(major)/ DM/"
	awk '$3 ~ /^dm-/ { print $1 ":" $2, $3, "reads", $4, $5, $6, "writes", $8, $9, $10, "discards", $15, $16, $17, "words", NF }' /proc/diskstats
	grep -c '^ *[0-9]* \{7\}[0-9] dm-[0-9]\( [0-9]*\)\{17\}$' /proc/diskstats
}
head -2 /proc/partitions
t dmsetup create one --table "0 2048 linear $A 0"
t dmsetup create two --table '0 3 zero'
t dmsetup create three -n
t dmsetup create four -n
t dmsetup load four --table '0 64 zero'
show
dd if=/dev/mapper/one of=/dev/null bs=64K count=3 iflag=direct 2>/dev/null
dd if=/dev/zero of=/dev/mapper/one bs=4K count=2 oflag=direct 2>/dev/null
show
t dmsetup resume four
t dmsetup load one --table "0 4096 linear $A 0"
t dmsetup resume one
show
t dmsetup remove_all
show
