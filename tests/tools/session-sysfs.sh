#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A device's directory in /sys: the kernel caches the names in it, but only as long as the device exists.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# A program is in the directory of a device that is removed; another device gets its number.
names_end_with_the_device() {
	is "$who: names end with their device" \
		"8 d|old low|cat: size: No such file or directory|cat: dm/name: No such file or directory|ls: cannot access 'slaves/dm-20': No such file or directory|16 new|" \
		"$("$DMUSE" exec -- sh -c '
			dmsetup create low -j 252 -m 20 --table "0 8 zero" && dmsetup create old -j 252 -m 21 --table "0 8 linear 252:20 0"
			cd /sys/dev/block/252:21
			for i in 1 2; do cat size dm/name slaves/dm-20/dm/name holders/x start >/dev/null 2>&1; done
			echo $(cat size) $(test -d slaves/dm-20 && echo d)
			echo $(cat dm/name slaves/dm-20/dm/name)
			dmsetup remove old
			cat size dm/name
			ls slaves/dm-20
			dmsetup create new -j 252 -m 21 --table "0 16 zero"
			echo $(cat /sys/block/dm-21/size /sys/dev/block/252:21/dm/name)
			ls /sys/block/dm-21/slaves' 2>&1 | tr '\n' '|')"
}

# A partition's name in its disk's directory is added and removed while that stays.
partitions_come_and_go() {
	truncate -s 8M img
	is "$who: partitions come and go in their disk's directory" "none|2048|none|4096|" "$("$DMUSE" exec --disk sdx=img -- sh -c '
		cd /sys/block/sdx
		cat sdx1/start 2>/dev/null || echo none
		echo 2048,4096 | sfdisk -q -X dos /dev/sdx; cat sdx1/start
		sfdisk -q --delete /dev/sdx 1; cat sdx1/start 2>/dev/null || echo none
		echo 4096,4096 | sfdisk -q -X dos /dev/sdx; cat sdx1/start' 2>&1 | tr '\n' '|')"
}

# Root's loop devices are the machine's. cryptsetup finds there that a LUKS device is open.
loop_devices_have_holders() {
	truncate -s 1M img
	is "$who: a device that uses a loop device is among its holders" "dm-20|up|up|none|dm-21|none|" "$("$DMUSE" exec -- sh -c '
		loop=$(losetup -f --show img)
		cd "/sys/block/${loop#/dev/}/holders"
		number=$(cat ../dev)
		dmsetup create up -j 252 -m 20 --table "0 8 linear $loop 0"
		ls; cat dm-20/dm/name; cat "/sys/dev/block/$number/holders/dm-20/dm/name"
		dmsetup remove up; ls | grep . || echo none
		dmsetup create other -j 252 -m 21 --table "0 8 linear $loop 0"
		ls; dmsetup remove other; ls | grep . || echo none
		cd /; losetup -d "$loop"' 2>&1 | tr '\n' '|')"
}

session_test names_end_with_the_device partitions_come_and_go loop_devices_have_holders
