#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse partitions (and kpartx, its other name): devices for the partitions of an image, without a session.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
PATH=$PATH:/usr/sbin:/sbin
cd "$work" || exit 1

table() {
	sfdisk -q d.img
}

if ! command -v sfdisk >/dev/null; then
	skip "partitions" "sfdisk is not installed (package fdisk)"
	plan
	exit
fi
truncate -s 40M d.img
printf 'label: dos\nunit: sectors\nstart=2048,size=8192\nstart=10240,size=40960,type=5\nstart=12288,size=8192\nstart=22528,size=8192\n' | table
is "the list" "d.img1 : 0 8192 d.img 2048
d.img2 : 0 2 d.img 10240
d.img5 : 0 8192 d.img 12288
d.img6 : 0 8192 d.img 22528" "$("$DMUSE" partitions d.img)"
is "the list starts no daemon" "" "$("$DMUSE" ls --no-start 2>/dev/null | grep -v '^No devices')"
is "the list as JSON" "[[1, 2048, 8192], [2, 10240, 2], [5, 12288, 8192], [6, 22528, 8192]]" \
	"$("$DMUSE" partitions --json d.img | python3 -c 'import json, sys; print([[p["number"], p["start"], p["length"]] for p in json.load(sys.stdin)])')"
is "kpartx -avs says what kpartx says" "add map d.img5 (252:3): 0 8192 linear $PWD/d.img 12288" \
	"$("$DMUSE" kpartx -avs d.img 2>/dev/null | grep img5)"
is "devices" "d.img1 d.img2 d.img5 d.img6" "$("$DMUSE" ls | cut -f 1 | paste -sd ' ')"
head -c 4194304 /dev/urandom >new
nbdcopy new "$("$DMUSE" export d.img5)"
is "what is written is in the partition" "same" "$(tail -c +$((12288 * 512 + 1)) d.img | head -c 4194304 | cmp - new && echo same)"
is "once more changes nothing" "0:" "$("$DMUSE" partitions -av d.img; echo $?:)"
printf 'label: dos\nunit: sectors\nstart=2048,size=12288\nstart=20480,size=8192\n' | table
is "an update follows the table" "del devmap : d.img5
del devmap : d.img6
add map d.img1 (252:1): 0 12288 linear $PWD/d.img 2048
add map d.img2 (252:2): 0 8192 linear $PWD/d.img 20480" "$("$DMUSE" partitions -uv d.img)"
"$DMUSE" create d.img9 --table '0 8 zero'
is "only its own are deleted" "del devmap : d.img1
del devmap : d.img2" "$("$DMUSE" partitions -dv d.img)"
is "others stay" "d.img9" "$("$DMUSE" ls | cut -f 1)"
"$DMUSE" rename d.img9 d.img2
refuses "a name that is taken" 1 "d.img2: .*already exists" partitions -a d.img
is "then none is made" "d.img2" "$("$DMUSE" ls | cut -f 1)"
cp d.img disk0
"$DMUSE" partitions -ar disk0
is "a name that ends in a digit, read-only" "READ-ONLY" "$("$DMUSE" info disk0p1 | grep -o READ-ONLY)"
"$DMUSE" partitions -d disk0
"$DMUSE" partitions -a -p _part disk0
is "another delimiter" "d.img2 disk0_part1 disk0_part2" "$("$DMUSE" ls | cut -f 1 | paste -sd ' ')"
strange=$'caf\xe9 it\'s.img'
cp d.img "$strange"
"$DMUSE" partitions -a "$strange"
is "a file of any name" "caf\\xe9\\x20it\\x27s.img1" "$("$DMUSE" ls | cut -f 1 | grep -m 1 caf)"
"$DMUSE" partitions -d "$strange"
is "and back" "0" "$("$DMUSE" ls | grep -c caf)"
{ echo label: gpt; echo size=1M; echo size=1M; } | table
is "GPT" "d.img1 : 0 2048 d.img 2048 d.img2 : 0 2048 d.img 4096" "$("$DMUSE" partitions d.img | paste -sd ' ')"
truncate -s 1M none
is "no table" "dmuse: none: no partition table found" "$("$DMUSE" partitions none 2>&1)"
refuses "no table to make devices of" 1 "none: no partition table" partitions -a none
refuses "no file" 1 "cannot open nosuch: No such file" partitions nosuch
refuses "a directory" 1 "is not a regular file or block device" partitions /etc
refuses "two wishes" 2 "one of -l, -a, -d, -u" partitions -la d.img
refuses "no image" 2 "the disk image is missing" partitions
"$DMUSE" shutdown >/dev/null 2>&1
plan
