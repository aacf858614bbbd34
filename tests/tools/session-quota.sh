#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# quotactl(2) on a mounted device: it returns the same as for a disk of the machine, to root and to others.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export SESSION_ROOT_ONLY=1
tools=$root/tests/tools

# ask DEVICE: its answers for a new file system with quota on DEVICE.
ask() {
	mkfs.ext4 -qF "$1" && mount -o usrquota,grpquota "$1" m || return
	touch m/aquota.user
	python3 -B "$tools/quota-calls.py" "$1" m
	umount m
}
export -f ask
export tools

quota() {
	truncate -s 16M disk image
	mkdir m
	# shellcheck disable=SC2016
	unshare -m bash -c 'loop=$(losetup -f --show disk) && ask "$loop"; losetup -d "$loop"' >machine 2>&1
	if ! grep -q '^quota' machine; then
		skip "root: quotactl" "no loop device can be mounted with quota here: $(tail -1 machine)"
		return
	fi
	is "root: quotactl is answered as on the machine" "$(cat machine)" \
		"$("$DMUSE" exec --create "d=0 32768 linear $PWD/image 0" -- bash -c 'ask /dev/mapper/d' 2>&1)"
}

session_test quota
