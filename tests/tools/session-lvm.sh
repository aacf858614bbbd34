#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Unmodified LVM2 in sessions: a life cycle on two image files. Nothing may be printed on stderr.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# in_session WHAT SCRIPT: exits with 0 and prints nothing on stderr; its output is in $out.
in_session() {
	run exec --disk pv0=a.img --disk pv1=b.img -- sh -euc "$2"
	is "$who: $1" "0:" "$status:$err"
}

images() {
	rm -f a.img b.img
	truncate -s 100M a.img b.img
}

in_one_line() {
	images
	in_session "the whole line" 'pvcreate /dev/pv0 /dev/pv1; vgcreate vg /dev/pv0 /dev/pv1; lvcreate -L 16M -n lv0 vg
		lvcreate -i2 -L 24M -n st vg; mkfs.ext4 -q /dev/vg/st; lvextend -L +8M vg/lv0; lvs; vgremove -f -y vg'
	like "$who: what lvs says" "lv0 +vg +-wi-a----- 24.00m" "$out"
}

# What sudo and cron leave of the environment.
in_an_empty_environment() {
	images
	in_session "LVM with nothing in its environment" '
		env -i "$(command -v vgcreate)" -q vg /dev/pv0 >/dev/null; env -i "$(command -v lvmconfig)" devices/use_devicesfile'
	is "$who: has the configuration of sessions" "use_devicesfile=0" "$out"
}

# Each command is in a session of its own, with a private daemon: everything that lasts is in the files.
over_sessions() {
	images
	in_session "pvcreate" 'pvcreate -q /dev/pv0 /dev/pv1 >/dev/null'
	in_session "vgcreate" 'vgcreate vg /dev/pv0'
	in_session "lvcreate" 'lvcreate -L 8M -n left vg; mkfs.ext4 -q /dev/vg/left; ls -l /dev/vg/left'
	like "$who: the link" "/dev/vg/left -> ../mapper/vg-left|/dev/vg/left -> /dev/mapper/vg-left" "$out"
	in_session "a volume that was left behind" 'lvs --noheadings -o lv_name,lv_size,lv_active vg'
	like "$who: is found later" "left +8.00m" "$out"
	in_session "and activated" 'vgchange -qq -ay vg >/dev/null; e2fsck -fn /dev/vg/left 2>/dev/null; blkid -o value -s TYPE /dev/vg/left'
	like "$who: with what is in it" "ext4" "$out"
	in_session "vgextend" 'vgextend vg /dev/pv1; pvs --noheadings -o pv_name,vg_name'
	like "$who: two volumes" "/dev/pv1 +vg" "$out"
	in_session "lvextend, lvreduce, lvrename" 'vgchange -qq -ay vg >/dev/null; lvextend -l +100%FREE vg/left
		lvreduce -qq -f -y -L 8M vg/left >/dev/null 2>&1; lvrename vg left right; lvchange --addtag t vg/right; test -b /dev/vg/right'
	in_session "reports" 'lvs --noheadings -o name,tags,size @t; pvs; vgs; pvdisplay -c; vgdisplay -c; lvdisplay -c; lvs --reportformat json'
	like "$who: the tag" "right +t +8.00m" "$out"
	in_session "backup and restore" 'vgcfgbackup -q -f vg.backup vg >/dev/null; lvremove -qq -f -y vg/right >/dev/null
		vgcfgrestore -q -f vg.backup vg >/dev/null; lvs --noheadings -o name vg'
	like "$who: restored" "right" "$out"
	# vgmerge also warns of "old metadata" on a real device-mapper.
	in_session "vgsplit and vgmerge" 'lvcreate -qq -L 4M -n two vg /dev/pv1 >/dev/null; vgchange -qq -an vg >/dev/null
		vgsplit -n two vg vg2; vgs --noheadings -o name; vgmerge vg vg2 2>/dev/null'
	like "$who: two groups for a while" "vg2" "$out"
	in_session "vgrename" 'vgrename vg gv; vgchange -qq -ay gv >/dev/null; test -b /dev/gv/right; vgchange -an gv; test ! -e /dev/gv/right'
	in_session "the end" 'vgremove -f -y gv; pvremove /dev/pv0 /dev/pv1'
	is "$who: nothing is left" "" "$(session_traces)"
}

# The commands share one daemon, concurrently.
one_daemon() {
	local i pids=()
	export DMUSE_SOCKET=$PWD/d/control
	images
	"$DMUSE" daemon
	in_session "a group" 'pvcreate -qq /dev/pv0 /dev/pv1; vgcreate -qq vg /dev/pv0 /dev/pv1 >/dev/null'
	for i in 1 2 3 4 5; do
		"$DMUSE" exec --disk pv0=a.img --disk pv1=b.img -- lvcreate -qq -L 4M -n "l$i" vg >"log$i" 2>&1 & pids+=($!)
	done
	wait "${pids[@]}"
	is "$who: five at once" "" "$(grep -h . log?)"
	is "$who: are there" "5" "$("$DMUSE" ls | grep -c '^vg-l')"
	in_session "an active group" 'lvs --noheadings -o lv_active vg | sort -u'
	like "$who: stays active between sessions" "^ *active *$" "$out"
	is "$who: its disks, too" "/dev/pv0" "$("$DMUSE" exec -- ls /dev/pv0)"
	in_session "and goes" 'vgremove -f -y vg'
	is "$who: and so do they" "" "$("$DMUSE" exec -- sh -c 'ls /dev/pv0 2>/dev/null')"
	"$DMUSE" shutdown
	unset DMUSE_SOCKET
}

# No module of the machine's kernel provides a target that dmuse lacks: none is loaded, and a message says that dmuse
# lacks it.
lacking() {
	if ! command -v modprobe >/dev/null; then
		skip "$who: modprobe" "it is not installed"
		return
	fi
	images
	run exec --disk pv0=a.img -- sh -euc 'vgcreate -q vg /dev/pv0 >/dev/null; lvcreate -qq -L 8M -n l vg >/dev/null
		! lvcreate -y --type cache-pool -L 12M -n c vg'
	like "$who: a cache: dmuse lacks it, not the kernel" \
		"^dmuse: modprobe dm-cache: dmuse has no target 'cache' .*available: linear, " "$err"
	like "$who: beside LVM's own words" "cache-pool: Required device-mapper target.s. not detected in your kernel" "$err"
	is "$who: the machine's modprobe says nothing" "" "$(grep -E 'FATAL|insert' <<<"$err")"
	is "$who: what there is" "0 0 0 1 1:" "$("$DMUSE" exec -- sh -c 'for m in dm_mod dm-zero dm_crypt dm_cache kvdo; do
		modprobe -q $m; printf "$? "; done 2>&1' | sed 's/ $/:/')"
	is "$who: other modules are the machine's" "$(modprobe --version)" "$("$DMUSE" exec -- modprobe --version)"
	is "$who: and its answers" "$(modprobe -n -q dm-nosuch; echo $?)" "$("$DMUSE" exec -- modprobe -n -q dm-nosuch; echo $?)"
}

# A loop device that a program of the session has attached may be a physical volume until it is detached; none of the
# machine's may.
loops() {
	local loop
	images
	truncate -s 40M machine.img
	if [ "$who" = user ] || ! loop=$(losetup -f --show machine.img 2>/dev/null); then
		skip "$who: loop devices" "they are root's, and not to be had here"
		return
	fi
	run exec -- sh -euc 'l=$(losetup -f --show a.img); pvcreate -q $l; vgcreate -q vg $l; lvcreate -qq -L 8M -n lv vg; mkfs.ext4 -q /dev/vg/lv
		pvs --noheadings -o pv_name | tr -d " "; echo $l; vgremove -qq -f vg; pvremove -q $l; losetup -d $l; pvs; ! pvcreate $l 2>/dev/null'
	is "$who: a loop device of the session's own" "0:" "$status:$err"
	is "$who: is a volume" "2" "$(grep -c '^/dev/loop[0-9]*$' <<<"$out")"
	run exec -- pvcreate "$loop"
	like "$who: one of the machine's is refused" "$loop: device is rejected by filter" "$err"
	like "$who: and the way out is said" "dmuse: LVM and $loop: .*\`dmuse exec --disk NAME=$loop" "$err"
	run exec --disk back="$loop" -- pvcreate -q /dev/back
	is "$who: the way out" "0:" "$status:$err"
	is "$who: no word of it where a filter is brought" "" "$("$DMUSE" exec -- pvs --config 'devices/filter=["r/.*/"]' "$loop" 2>&1 | grep dmuse:)"
	losetup -d "$loop"
}

# The machine's loop device has the number that a program of the session had just before.
loops_of_others() {
	local loop
	if [ "$who" = user ] || ! loop=$(losetup -f 2>/dev/null); then
		skip "$who: loop devices" "they are root's, and not to be had here"
		return
	fi
	export DMUSE_SOCKET=$PWD/d/control
	images
	"$DMUSE" daemon
	loop=$("$DMUSE" exec -- losetup -f --show a.img)
	is "$who: a loop device lasts beyond its session" 0 "$("$DMUSE" exec -- pvcreate -q "$loop" >/dev/null 2>&1; echo $?)"
	losetup -d "$loop"
	if losetup "$loop" b.img; then
		is "$who: but not beyond its file" 5 "$("$DMUSE" exec -- pvcreate -q "$loop" >/dev/null 2>&1; echo $?)"
		losetup -d "$loop"
	fi
	"$DMUSE" shutdown
	unset DMUSE_SOCKET
}

# LVM's locks, and what else tools keep in /run about devices, belong to the session, even if the machine has no such
# directories.
locks() {
	local in_run='mount -t tmpfs run /run; mkdir -m 1777 /run/lock; mkdir /run/sub; echo 5 >/run/file'
	local as=""
	[ "$who" = root ] || as="unshare -U --map-user=1000 --map-group=1000"
	images
	mkdir own
	in_session "LVM with a directory of one's own" 'LVM_SYSTEM_DIR=$PWD/own vgs; LVM_SYSTEM_DIR=$PWD/own pvs'
	is "$who: the locks are the session's" "" "$("$DMUSE" exec -- sh -c 'touch /run/lock/lvm/mine /run/cryptsetup/mine'
		ls /run/lock/lvm/mine /run/cryptsetup/mine 2>/dev/null)"
	unshare "$([ "$who" = root ] && echo -m || echo -Urm)" sh -euc "$in_run
		$as $DMUSE exec -- sh -euc 'LVM_SYSTEM_DIR=\$PWD/own vgs; touch /run/lvm/a /run/lock/lvm/a /run/cryptsetup/a
			cat /run/file; ls -d /run/sub; stat -c %a /run/lock'
		find /run/lock -name a" >out 2>&1
	is "$who: a machine where nobody has made them" "5 /run/sub 1777" "$(paste -sd ' ' out)"
}

# LVM in a session does not use the machine's own disks, unless they are added.
own_disks() {
	images
	is "$who: no disks but ours" "/dev/pv0 /dev/pv1" "$("$DMUSE" exec --disk pv0=a.img --disk pv1=b.img -- \
		lvmdiskscan 2>&1 | grep -o '/dev/[^ ]*' | sort | tr '\n' ' ' | sed 's/ $//')"
	is "$who: names with dots" "/dev/a.b" "$("$DMUSE" exec --disk a.b=a.img -- lvmdiskscan 2>&1 | grep -o '/dev/[^ ]*')"
}

if command -v lvm >/dev/null || [ -x /sbin/lvm ]; then
	session_test in_one_line in_an_empty_environment over_sessions one_daemon lacking loops loops_of_others locks own_disks
else
	skip "LVM" "it is not installed"
	plan
fi
