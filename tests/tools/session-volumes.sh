#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Volumes of LVM that are in use: a snapshot of a mounted file system and its way back, a mirror whose disk dies, and the dmeventd of
# a session, which makes room and repairs.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# in_session WHAT SCRIPT: exits with 0; its output is in $out. `quiet COMMAND...` says nothing unless it fails.
in_session() {
	run exec --disk pv0=a.img --disk pv1=b.img --disk pv2=c.img --create "mortal0=0 64M linear $PWD/d.img 0" \
		--create "mortal1=0 64M linear $PWD/e.img 0" -- bash -euc '
		quiet() { "$@" >quiet.log 2>&1 || { echo "$*:"; cat quiet.log; return 1; }; }
		sum() { md5sum <"$1"; }
		until_true() { local end=$((SECONDS + 60)); until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.05; done; }
		'"$2"
	is "$who: $1" "0" "$status"
	[ "$status" = 0 ] || printf '%s\n' "$out" "$err" | sed 's/^/# /'
}

# images SIZE
images() {
	rm -f ./?.img
	truncate -s "$1" a.img b.img c.img
	truncate -s 64M d.img e.img
}

# can WHAT TYPE: does the kernel mount this type for us? Else WHAT is skipped.
can() {
	[ "$who" = root ] || return 1
	[ -e /dev/loop-control ] || { skip "$1" "there is no /dev/loop-control"; return 1; }
	grep -qw "$2" /proc/filesystems || modprobe -q "$2" 2>/dev/null || { skip "$1" "this kernel has no $2"; return 1; }
	type -P "mkfs.$2" >/dev/null || { skip "$1" "there is no mkfs.$2"; return 1; }
}

# --- snapshots of what is mounted ---------------------------------------------------------------------------------------------

# Somebody writes all the time. $1: type, $2: size, $3: says whether the snapshot is clean, as it is.
mounted() {
	can "a snapshot of a mounted $1" "$1" || return 0
	images "$2"
	in_session "$1: a snapshot of it while it is mounted and written to is clean" '
		quiet vgcreate vg /dev/pv0 /dev/pv1; quiet lvcreate -l 100%PVS -n lv vg /dev/pv0; mkfs.'"$1"' -q /dev/vg/lv
		mkdir m n; mount /dev/vg/lv m; echo before >m/f; sync
		(while [ ! -e stop ]; do dd if=/dev/urandom of=m/load bs=64K count=32 conv=notrunc,fsync status=none; done) & load=$!
		quiet lvcreate -s -l 80%PVS -n snap vg/lv /dev/pv1
		echo after >m/f; sync; touch stop; wait $load
		'"$3"'
		lvs --noheadings -o lv_attr vg/snap; cat m/f
		quiet lvconvert --merge -y vg/snap; cat quiet.log >delayed
		umount m; rm stop; quiet lvchange -an vg/lv; quiet lvchange -ay vg/lv
		mount /dev/vg/lv m; cat m/f
		dd if=/dev/urandom of=m/more bs=64K count=32 conv=fsync status=none; before=$(sum m/more)
		until_true sh -c "! lvs --noheadings -o name vg | grep -q snap"
		test "$(sum m/more)" = "$before"; umount m'
	like "$who: $1: it is a snapshot that is valid" "swi-a-s---" "$out"
	like "$who: $1: while it is mounted, a merge is put off" "next activation" "$(cat delayed)"
	is "$who: $1: and goes on while it is mounted again" $'after\nbefore' "$(grep -x 'after\|before' <<<"$out")"
	in_session "$1: all is whole then" 'quiet vgchange -ay vg; '"$4"'; quiet vgremove -ff -y vg'
	rm -rf stop m n
}

snapshots_of_what_is_mounted() {
	mounted ext4 48M 'quiet e2fsck -fn /dev/vg/snap; test "$(debugfs -R "cat f" /dev/vg/snap 2>/dev/null)" = before' 'quiet e2fsck -fn /dev/vg/lv'
	# What a frozen xfs leaves in its log is replayed by a mount.
	mounted xfs 400M 'mount -o nouuid /dev/vg/snap n; test "$(cat n/f)" = before; umount n; quiet xfs_repair -n /dev/vg/snap' 'quiet xfs_repair -n /dev/vg/lv'
}

# --- a disk dies --------------------------------------------------------------------------------------------------------------

# Two disks that are mapped devices, so that they can be lost; and another one.
MORTAL='
	dies() { dmsetup load "$1" --table "0 $(blockdev --getsz "/dev/mapper/$1") error"; dmsetup suspend --noflush --nolockfs "$1"; dmsetup resume "$1"; }
	quiet vgcreate vg /dev/mapper/mortal0 /dev/mapper/mortal1 /dev/pv2
	dd if=/dev/urandom of=data bs=1M count=8 status=none'

a_leg_dies() {
	images 64M
	in_session "a leg dies, and a write waits until lvconvert --repair" "$MORTAL"'
		quiet lvcreate --config "activation { monitoring = 0 }" --type mirror -m1 --mirrorlog core -L 8M -n lv vg /dev/mapper/mortal0 /dev/mapper/mortal1
		dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		before=$(dmsetup info -c --noheadings -o events vg-lv)
		dies mortal1
		dd if=data of=/dev/vg/lv bs=64K count=1 skip=7 oflag=direct conv=notrunc status=none & writer=$!
		until_true sh -c "dmsetup status vg-lv | grep -q \" AD \""
		kill -0 $writer; echo it waits
		quiet lvconvert --repair -y vg/lv
		wait $writer
		cmp -n 65536 -i 0:458752 /dev/vg/lv data; cmp -i 65536 /dev/vg/lv data
		quiet vgreduce --removemissing --force vg
		lvs --noheadings -o segtype,devices vg/lv; pvs --noheadings -o name
		quiet lvremove -y vg/lv; dmsetup remove mortal1'
	like "$who: it was held" "it waits" "$out"
	is "$who: the disk has gone from the group" "0" "$(grep -c mortal1 <<<"$out")"
}

# The upper one has a leg on a mirror, as when pvmove moves what a mirror lies on.
a_mirror_on_a_mirror() {
	images 64M
	in_session "pvmove of a leg, under load" '
		quiet vgcreate vg /dev/pv0 /dev/pv1 /dev/pv2; head -c 8M /dev/urandom >data
		quiet lvcreate --type mirror -m1 --mirrorlog core -L 8M -n lv vg /dev/pv0 /dev/pv1
		(until [ -e moved ]; do dd if=data of=/dev/vg/lv bs=256K oflag=direct conv=notrunc status=none; done) & load=$!
		quiet pvmove -i 1 /dev/pv0 /dev/pv2; : >moved; wait $load
		cmp data /dev/vg/lv; cmp data /dev/mapper/vg-lv_mimage_0; cmp data /dev/mapper/vg-lv_mimage_1
		lvs -a --noheadings -o devices vg; quiet vgremove -ff -y vg; rm moved'
	like "$who: it lies on other disks" "pv2" "$out"
	is "$who: and not where it was" 0 "$(grep -c pv0 <<<"$out")"
}

# --- dmeventd -------------------------------------------------------------------------------------------------------------------

POLICY='printf "activation {\n snapshot_autoextend_threshold = 60\n snapshot_autoextend_percent = 50\n}\n" >"$LVM_SYSTEM_DIR/lvmlocal.conf"'

it_makes_room() {
	images 64M
	in_session "a snapshot that fills up is extended by LVM's policy" "$POLICY"'
		quiet vgcreate vg /dev/pv0 /dev/pv1; quiet lvcreate -L 24M -n lv vg
		quiet lvcreate -s -L 8M -n snap vg/lv; before=$(sum /dev/vg/snap)
		lvs --noheadings -o seg_monitor vg/snap
		for i in 0 1 2 3 4 5 6; do
			dd if=/dev/urandom of=/dev/vg/lv bs=64K count=16 seek=$((i * 16)) oflag=direct conv=notrunc status=none
			until_true sh -c "lvs --noheadings -o data_percent vg/snap | awk \"{ exit \\\$1 > 60 }\""
		done
		test "$(sum /dev/vg/snap)" = "$before"; lvs --noheadings --units m -o lv_size vg/snap
		quiet vgremove -ff -y vg'
	like "$who: it was watched" "monitored" "$out"
	like "$who: it is larger" "(12|16|18|20).00m" "$out"
	is "$who: nothing is left of the session" "" "$(session_traces)"
}

it_repairs() {
	images 64M
	in_session "a mirror whose leg dies is repaired" "$MORTAL"'
		quiet lvcreate --type mirror -m1 --mirrorlog core -L 8M -n lv vg /dev/mapper/mortal0 /dev/mapper/mortal1
		dd if=data of=/dev/vg/lv bs=1M oflag=direct status=none
		dies mortal1
		dd if=data of=/dev/vg/lv bs=1M oflag=direct conv=notrunc status=none
		cmp data /dev/vg/lv
		until_true sh -c "lvs --noheadings -o segtype vg/lv 2>/dev/null | grep -q linear"
		quiet lvremove -y vg/lv'
	is "$who: nothing is left of the session" "" "$(session_traces)"
}

watched() {
	if [ ! -x /sbin/dmeventd ]; then
		skip "$who: dmeventd" "it is not installed"
		return
	fi
	it_makes_room
	it_repairs
}

if command -v lvm >/dev/null || [ -x /sbin/lvm ]; then
	session_test snapshots_of_what_is_mounted a_leg_dies a_mirror_on_a_mirror watched
else
	skip "LVM" "it is not installed"
	plan
fi
