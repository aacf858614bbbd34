#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# LVM2's raid1 and raid0 in sessions: what lvcreate -m1 makes, converted, extended, checked, split, and repaired when a leg has died.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# Every line of these scripts has to succeed. idle: waits until the array has nothing to do, and all legs are good.
# shellcheck disable=SC2016
in_session() {
	run exec "${disks[@]}" -- sh -euc 'idle() { until dmsetup status vg-lv | grep -qE " A+ ([0-9]+)/\1 idle "; do :; done; }
		legs() { for leg; do cmp -n 8388608 data /dev/mapper/vg-lv_rimage_$leg; done; }'"
		$2"
	is "$who: $1" "0:" "$status:$err"
}

images() {
	rm -f a.img b.img c.img
	truncate -s 64M a.img b.img c.img
	head -c 8M /dev/urandom >data
	disks=(--disk pv0=a.img --disk pv1=b.img --disk pv2=c.img)
}

made_and_converted() {
	images
	in_session "lvcreate -m1" 'vgcreate -q vg /dev/pv0 /dev/pv1 /dev/pv2 >/dev/null
		lvcreate -qq -m1 -L 8M -n lv vg >/dev/null
		dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		idle; lvs --noheadings -o segtype,copy_percent,raid_sync_action vg/lv; legs 0 1'
	like "$who: makes raid1" "raid1 +100.00 +idle" "$out"
	in_session "a third leg, and one less" 'vgchange -qq -ay vg >/dev/null; cmp data /dev/vg/lv
		lvconvert -qq -y -m2 vg/lv >/dev/null; idle; legs 0 1 2
		lvconvert -qq -y -m1 vg/lv /dev/pv0 >/dev/null; idle; cmp data /dev/vg/lv; legs 0 1'
	in_session "lvextend, and --syncaction check and repair" 'vgchange -qq -ay vg >/dev/null
		lvextend -qq -L 16M vg/lv >/dev/null; idle; cmp -n 8388608 data /dev/vg/lv
		lvchange --syncaction check vg/lv; idle; lvs --noheadings -o raid_mismatch_count vg/lv
		lvchange --syncaction repair vg/lv; idle; lvchange -qq --refresh vg/lv; idle; legs 0 1'
	like "$who: nothing differs" "^ *0\$" "$out"
	in_session "to one leg and back, and from a mirror" 'vgchange -qq -ay vg >/dev/null
		lvconvert -qq -y -m0 vg/lv >/dev/null; cmp -n 8388608 data /dev/vg/lv
		lvconvert -qq -y -m1 vg/lv >/dev/null; idle; cmp -n 8388608 data /dev/vg/lv; legs 0 1; lvremove -qq -y vg/lv >/dev/null
		lvcreate -qq --type mirror -m1 -L 8M -n lv vg >/dev/null; dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		lvconvert -qq -y --type raid1 vg/lv >/dev/null; idle; legs 0 1; lvremove -qq -y vg/lv >/dev/null
		lvcreate -qq --type raid0_meta -i2 -L 8M -n lv vg >/dev/null; dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		cmp data /dev/vg/lv; lvremove -qq -y vg/lv >/dev/null'
}

# With other targets above and below.
replaced_and_moved() {
	images
	in_session "--replace, pvmove below, a snapshot above, read-only, --resync" 'vgcreate -q vg /dev/pv0 /dev/pv1 /dev/pv2 >/dev/null
		lvcreate -qq -m1 -L 8M -n lv vg /dev/pv0 /dev/pv1 >/dev/null; dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none; idle
		lvconvert -qq -y --replace /dev/pv1 vg/lv /dev/pv2 >/dev/null; idle; legs 0 1
		pvmove -qq -i 1 /dev/pv0 /dev/pv1 >/dev/null; idle; cmp data /dev/vg/lv; legs 0 1
		lvcreate -qq -s -L 4M -n snap vg/lv >/dev/null
		dd if=/dev/urandom of=/dev/vg/lv bs=1M count=1 oflag=direct status=none; cmp data /dev/vg/snap
		lvconvert -qq -y --merge vg/snap >/dev/null; lvs vg/lv >/dev/null; cmp data /dev/vg/lv
		lvchange -qq -pr vg/lv; vgchange -qq -an vg >/dev/null; vgchange -qq -ay vg >/dev/null; cmp data /dev/vg/lv; lvchange -qq -prw vg/lv
		vgchange -qq -an vg >/dev/null; lvchange -qq -y --resync vg/lv; vgchange -qq -ay vg >/dev/null; idle; cmp data /dev/vg/lv
		lvs --noheadings -o devices vg/lv'
	like "$who: it has two legs" "lv_rimage_0.*lv_rimage_1" "$out"
}

# The changes of a leg that is split off are copied back, and no others.
split() {
	images
	in_session "--splitmirrors --trackchanges, and --merge" 'vgcreate -q vg /dev/pv0 /dev/pv1 >/dev/null
		lvcreate -qq -m1 -L 8M -n lv vg >/dev/null; dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none; idle
		lvconvert -qq -y --splitmirrors 1 --trackchanges vg/lv >/dev/null 2>&1
		dd if=/dev/urandom of=/dev/vg/lv bs=1M seek=4 count=2 oflag=direct status=none
		legs 1; lvconvert -qq -y --merge vg/lv_rimage_1 >/dev/null
		idle; cmp /dev/mapper/vg-lv_rimage_0 /dev/mapper/vg-lv_rimage_1; vgremove -qq -f -y vg >/dev/null'
}

repaired() {
	images
	disks=(--create "pd1=0 131072 linear $PWD/b.img 0" --disk pv0=a.img --disk pv2=c.img)
	in_session "a leg dies, and nobody notices" 'vgcreate -q vg /dev/pv0 /dev/mapper/pd1 /dev/pv2 >/dev/null
		lvcreate -qq -m1 -L 8M -n lv vg /dev/pv0 /dev/mapper/pd1 >/dev/null; idle
		dmsetup load pd1 --table "0 131072 error"; dmsetup suspend pd1; dmsetup resume pd1
		dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none; cmp data /dev/vg/lv; dmsetup status vg-lv
		{ lvconvert -qq -y --repair vg/lv; idle; vgreduce -qq --removemissing vg; } >/dev/null 2>&1
		cmp data /dev/vg/lv; legs 0 1; lvs --noheadings -o copy_percent,devices vg/lv'
	like "$who: it is dead" "raid1 2 AD 16384/16384 idle" "$out"
	like "$who: and replaced" "100.00" "$out"
}

if command -v lvm >/dev/null || [ -x /sbin/lvm ]; then
	session_test made_and_converted replaced_and_moved split repaired
else
	skip "LVM" "it is not installed"
	plan
fi
