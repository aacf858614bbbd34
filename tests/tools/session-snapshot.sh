#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Snapshots of LVM in sessions: made, written to, merged, moved; several of one origin, growth, removal under load, splitting off.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# in_session WHAT SCRIPT: exits with 0; its output is in $out.
in_session() {
	run exec --disk pv0=a.img --disk pv1=b.img -- sh -euc "sum() { md5sum <\"\$1\"; }; $2"
	is "$who: $1" "0" "$status"
	[ "$status" = 0 ] || printf '%s\n' "$out" "$err" | sed 's/^/# /'
}

images() {
	rm -f a.img b.img
	truncate -s 100M a.img b.img
}

GROUP='pvcreate -q /dev/pv0 /dev/pv1; vgcreate -q vg /dev/pv0 /dev/pv1; lvcreate -q -L 24M -n lv vg /dev/pv0; mkfs.ext4 -q /dev/vg/lv'

a_snapshot_is_merged() {
	images
	in_session "a snapshot keeps what there was, and brings it back" "$GROUP"'
		before=$(sum /dev/vg/lv)
		lvcreate -s -L 12M -n snap vg/lv
		dd if=/dev/urandom of=/dev/vg/lv bs=1M count=4 oflag=direct
		e2fsck -fn /dev/vg/snap
		test "$(sum /dev/vg/snap)" = "$before"
		lvconvert --merge -y vg/snap
		test "$(sum /dev/vg/lv)" = "$before"
		e2fsck -fn /dev/vg/lv
		lvs --noheadings -o name vg
		vgremove -ff -y vg'
	like "$who: it is gone then" "finished" "$out"
}

# A day's work in one line: a snapshot, what it keeps, the way back, and the volume on another disk.
a_day() {
	images
	in_session "a snapshot, a merge, pvmove" '
		pvcreate /dev/pv0 /dev/pv1; vgcreate vg /dev/pv0 /dev/pv1; lvcreate -L 24M -n lv vg /dev/pv0; mkfs.ext4 -q /dev/vg/lv
		sum /dev/vg/lv >before
		lvcreate -s -L 12M -n snap vg/lv; dd if=/dev/urandom of=/dev/vg/lv bs=1M count=4 oflag=direct; e2fsck -fn /dev/vg/snap
		sum /dev/vg/lv >written
		lvconvert --merge -y vg/snap; lvs
		sum /dev/vg/lv >merged
		pvmove /dev/pv0 /dev/pv1; e2fsck -fn /dev/vg/lv
		sum /dev/vg/lv >moved; lvs --noheadings -o devices vg/lv >devices
		vgremove -ff -y vg'
	is "$who: the merged volume is what it was" "$(cat before)" "$(cat merged)"
	is "$who: and so is the moved one" "$(cat before)" "$(cat moved)"
	ok "$who: it had been written to" test "$(cat before)" != "$(cat written)"
	like "$who: it is on the other disk" "/dev/pv1" "$(cat devices)"
	is "$who: nothing is left of the session" "" "$(session_traces)"
}

# Each command line is a session of its own, with its own daemon: a merge begins at the next activation.
over_sessions() {
	images
	in_session "a snapshot is made" "$GROUP"'; lvcreate -s -L 12M -n snap vg/lv; dd if=/dev/urandom of=/dev/vg/lv bs=1M count=2 oflag=direct
		vgchange -an vg'
	in_session "and is there later" 'vgchange -ay vg; e2fsck -fn /dev/vg/snap; lvs --noheadings -o lv_attr,origin vg/snap'
	like "$who: as a snapshot" "swi-a-s--- +lv" "$out"
	in_session "a merge of a volume in use begins when it is activated again" 'vgchange -ay vg; sum /dev/vg/snap >want
		exec 3</dev/vg/lv; lvconvert --merge -y vg/snap; exec 3<&-; vgchange -an vg; vgchange -ay vg
		while lvs --noheadings -o lv_attr vg/lv | grep -q " O"; do lvpoll --polloperation merge --interval 1 vg/lv || :; done
		test "$(sum /dev/vg/lv)" = "$(cat want)"; e2fsck -fn /dev/vg/lv'
}

several() {
	images
	in_session "several snapshots, one of which goes while the origin is written to" "$GROUP"'
		first=$(sum /dev/vg/lv); lvcreate -s -L 12M -n one vg/lv
		dd if=/dev/urandom of=/dev/vg/lv bs=64K count=8 oflag=direct
		second=$(sum /dev/vg/lv); lvcreate -s -L 12M -c 64K -n two vg/lv
		dd if=/dev/urandom of=/dev/vg/lv bs=64K count=64 oflag=direct & writer=$!
		lvcreate -s -L 4M -n three vg/lv; lvremove -y vg/three
		wait $writer
		test "$(sum /dev/vg/one)" = "$first"; test "$(sum /dev/vg/two)" = "$second"
		lvremove -y vg/one; test "$(sum /dev/vg/two)" = "$second"'
	in_session "a store grows under load" 'vgchange -ay vg; before=$(sum /dev/vg/two)
		dd if=/dev/urandom of=/dev/vg/lv bs=64K count=64 seek=100 oflag=direct & writer=$!
		lvextend -L +8M vg/two; wait $writer
		test "$(sum /dev/vg/two)" = "$before"; lvs --noheadings -o lv_size vg/two'
	like "$who: it has grown" "20.00m" "$out"
	in_session "a snapshot is split off" 'vgchange -ay vg; lvconvert --splitsnapshot -y vg/two; lvs --noheadings -o lv_attr vg/lv; vgremove -ff -y vg'
	like "$who: the volume has none" "-wi-a-" "$out"
}

if command -v lvm >/dev/null || [ -x /sbin/lvm ]; then
	session_test a_snapshot_is_merged a_day over_sessions several
else
	skip "snapshots of LVM" "it is not installed"
	plan
fi
