#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# libudev in a session without udev: programs that use it find the devices, and what is in them.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# in_session WHAT WANTED SCRIPT: with a file system in d (64 MiB; dm-0, or dm-1) and a partition table on the disk sdx.
in_session() {
	is "$who: $1" "$2" "$("$DMUSE" exec --create "d=0 131072 linear $PWD/image 0" --disk sdx="$PWD/disk" -- bash -c "$3" 2>&1)"
}
images() {
	truncate -s 64M image
	mkfs.ext4 -qF -L "a label" -U 01234567-89ab-cdef-0123-456789abcdef image
	truncate -s 4M disk
	sfdisk -q disk <<<'label: gpt
label-id: 11111111-2222-3333-4444-555555555555'
}

# skip_without PROGRAM PACKAGE WHAT
skip_without() {
	command -v "$1" >/dev/null && return 1
	skip "$who: $3" "there is no $1 (package $2)"
}

udevadm_info() {
	images
	skip_without udevadm udev "udevadm info" && return
	in_session "udevadm info: where a device is" "/devices/virtual/block/dm /devices/virtual/block/sdx block" \
		'echo $(udevadm info -q path /dev/mapper/d | sed "s/-.$//") $(udevadm info -q path /dev/sdx) $(udevadm info -q property --property=SUBSYSTEM --value /dev/mapper/d)'
	in_session "udevadm info: what is in it" "DM_NAME=d ID_FS_LABEL=a_label ID_FS_LABEL_ENC=a\x20label ID_FS_TYPE=ext4 ID_FS_USAGE=filesystem \
ID_FS_UUID=01234567-89ab-cdef-0123-456789abcdef ID_FS_UUID_ENC=01234567-89ab-cdef-0123-456789abcdef ID_FS_VERSION=1.0 \
ID_PART_TABLE_TYPE=gpt ID_PART_TABLE_UUID=11111111-2222-3333-4444-555555555555" \
		'(udevadm info -q property /dev/mapper/d; udevadm info -q property /dev/sdx) | grep -E "^ID_|^DM_" | sort | paste -sd " "'
	in_session "udevadm info: its names" "mapper/d ok" "echo \$(udevadm info -q symlink /dev/mapper/d) \$(dmsetup rename d e && udevadm info -q symlink /dev/mapper/e | grep -qx mapper/e && echo ok)"
}

# udev would know about a new file system when mkfs has closed the device: here it is known at once.
lsblk_properties() {
	images
	in_session "lsblk says what is in a device" "ext4|a label|01234567-89ab-cdef-0123-456789abcdef|swap" \
		'lsblk -Pno FSTYPE,LABEL,UUID /dev/mapper/d | sed "s/[A-Z]*=\"\([^\"]*\)\"/\1/g; s/ \([0-9]\)/|\1/; s/ /|/" | tr -d "\n"
		mkswap -q /dev/mapper/d
		echo "|$(lsblk -no FSTYPE /dev/mapper/d)"'
	in_session "nobody waits for a device that is suspended" "d done" \
		'dmsetup suspend d; timeout 60 lsblk -nro NAME,FSTYPE /dev/mapper/d | xargs echo -n; dmsetup resume d; echo " done"'
	in_session "who looks leaves no device open" 0 'for i in 1 2 3 4 5 6 7 8; do lsblk -no FSTYPE /dev/mapper/d >/dev/null; dmsetup info -c --noheadings -o open d
		done | sort -u'
}

pyudev() {
	images
	/usr/bin/python3 -c 'import pyudev' 2>/dev/null || { skip "$who: pyudev" "there is no pyudev (package python3-pyudev)"; return; }
	in_session "pyudev" "dm disk 131072 ext4 True" "/usr/bin/python3 -c '
import pyudev
c = pyudev.Context()
d = pyudev.Devices.from_device_file(c, \"/dev/mapper/d\")
same = pyudev.Devices.from_device_number(c, \"block\", d.device_number) == d and d in list(c.list_devices(subsystem=\"block\"))
print(d.sys_name[:2], d.device_type, d.attributes.asint(\"size\"), d.get(\"ID_FS_TYPE\"), same)'"
}

repart() {
	images
	skip_without systemd-repart systemd systemd-repart && return
	mkdir parts
	printf '[Partition]\nType=linux-generic\nSizeMinBytes=10M\n' >parts/one.conf
	in_session "systemd-repart" 0FC63DAF-8483-4772-8E79-3D69D8477DE4 \
		'systemd-repart --dry-run=no --empty=force --definitions=parts /dev/mapper/d >log 2>&1 || cat log; sfdisk --part-type /dev/mapper/d 1'
}

session_test udevadm_info lsblk_properties pyudev repart
