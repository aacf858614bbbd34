#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dust in a session, with dmsetup and dd. No Debian kernel has it, so this follows its documentation in the kernel's
# tree.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

documented() {
	truncate -s 1M image
	is "$who: messages, reads and writes of bad blocks" "0 2048 dust image bypass verbose
dust_query_block: block 60 found in badblocklist
dust_query_block: block 61 not found in badblocklist
countbadblocks: 2 badblock(s) found
60
67
0 2048 dust image fail_read_on_bad_block verbose
dd: error reading '/dev/mapper/dust1': Input/output error
countbadblocks: 0 badblock(s) found
dust_clear_badblocks: no badblocks found
device-mapper: message ioctl on dust1  failed: Invalid argument
Command failed.
0 2048 dust image fail_read_on_bad_block quiet
0 2048 dust image 0 4096" "$("$DMUSE" exec -- sh -c '
	m() { dmsetup message dust1 0 "$@"; }
	read_some() { dd if=/dev/mapper/dust1 of=/dev/null bs=4096 iflag=direct status=none "$@"; }
	dmsetup create dust1 --table "0 2048 dust image 0 4096"
	dmsetup status dust1
	m addbadblock 60
	m addbadblock 67 0
	read_some
	m queryblock 60
	m queryblock 61
	m countbadblocks
	m listbadblocks
	m enable
	dmsetup status dust1
	read_some count=1 skip=61
	read_some count=1 skip=67
	dd if=/dev/zero of=/dev/mapper/dust1 bs=4096 count=256 oflag=direct status=none
	read_some
	m countbadblocks
	m listbadblocks
	m clearbadblocks
	m removebadblock 87
	m quiet
	dmsetup status dust1
	dmsetup table dust1' 2>&1 | grep -v "^dmuse: " | sed -E 's,/[^ ]*/image|[0-9]+:[0-9]+,image,')"
}

session_test documented
