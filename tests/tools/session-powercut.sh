#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# powercut in a session: what a program has synced is there after a cut, what it has not is lost where all is lost, and a
# restore refuses while somebody could still write.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# cut_session SCRIPT: in a session where /dev/mapper/d is powercut on disk.img.
cut_session() {
	truncate -s 32M disk.img
	"$DMUSE" exec --create d="0 65536 powercut $PWD/disk.img 0 seed 1" -- bash -c "$1" 2>&1 | grep -v "^dmuse: d: .* failed: "
}

raw() {
	is "$who: synced blocks survive, others are lost, and cached pages are forgotten" "new
cut 0 1 8 1 lost
busy
old durable
up 1 0 0" "$(cut_session '
		put() { printf "%-4096s" "$1" | dd of=/dev/mapper/d bs=4096 count=1 seek="$2" status=none "${@:3}"; }
		at() { dd if=/dev/mapper/d bs=4096 count=1 skip="$1" status=none | tr -d " "; }
		put old 0 conv=fsync
		put durable 1 conv=fsync
		exec 3<>/dev/mapper/d
		printf "%-4096s" new >&3
		at 0
		echo
		dmsetup message d 0 cut lost
		dmsetup status d | cut -d" " -f 4-9
		dmsetup message d 0 restore 2>&1 | grep -qi "busy" && echo busy
		exec 3>&-
		dmsetup message d 0 restore
		echo "$(at 0)" "$(at 1)"
		dmsetup status d | cut -d" " -f 4-7')"
}

# A cut at many seeds. What was synced is there each time, the file system's check finds nothing but a journal to replay.
# Whatever would have lost-N committed (a sync() by another program on the machine, the journal's timer) comes too late: its
# first write is the cut. If that comes before the message, there is nothing left for that to do.
ext4() {
	[ "$who" = root ] || return
	[ -e /dev/loop-control ] || { skip "ext4" "there is no /dev/loop-control"; return; }
	is "$who: ext4 keeps what was synced, whatever else survives" "12 cuts" "$(cut_session '
		cycle() {
			dmsetup table d | sed "s/ seed .*/ seed $1 mode $2/" | dmsetup reload d
			dmsetup resume d
			mount /dev/mapper/d m
			for i in 1 2 3 4 5; do echo "$1 $i" >"m/synced-$i"; sync "m/synced-$i"; echo "$1" >"m/other-$i"; done
			sync m
			dmsetup message d 0 cut after 1 writes
			(echo "$1" >"m/lost-$1") 2>/dev/null
			dmsetup message d 0 cut 2>/dev/null
			! dmsetup message d 0 restore 2>/dev/null || echo "restored while mounted"
			umount m
			deadline=$((SECONDS + 30))
			until dmsetup message d 0 restore 2>/dev/null; do [ $SECONDS -lt $deadline ] || { echo "never restored"; exit; }; done
			e2fsck -p /dev/mapper/d >fsck 2>&1 || [ $? = 1 ] || { echo "seed $1:"; cat fsck; }
			e2fsck -fn /dev/mapper/d >fsck 2>&1 || { echo "seed $1:"; cat fsck; }
			mount -r /dev/mapper/d m
			for i in 1 2 3 4 5; do [ "$(cat "m/synced-$i")" = "$1 $i" ] || echo "seed $1: lost synced-$i"; done
			[ ! -e "m/lost-$1" ] || echo "seed $1: what nobody had synced is there"
			umount m
		}
		mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/d
		mkdir m
		for mode in lost kept prefix subset reordered torn any any any any any any; do cycle $((++n)) $mode; done
		dmsetup status d | cut -d" " -f5 | sed "s/$/ cuts/"')"
}

# Both disks of a group, by the command.
group() {
	truncate -s 1M a.img b.img
	is "$who: dmuse cut and restore several disks" "cut cut
1
up up" "$("$DMUSE" exec --create a="0 2048 powercut $PWD/a.img 0" --create b="0 2048 powercut $PWD/b.img 0" -- bash -c '
		state() { echo $(for d in a b; do dmsetup status $d | cut -d" " -f4; done); }
		dmuse=$1
		"$dmuse" cut a b --survive torn --seed 3
		state
		"$dmuse" cut a b 2>/dev/null; echo $?
		"$dmuse" restore a b
		state' sh "$DMUSE" 2>&1)"
}

# The file below has what was flushed and nothing else: a daemon that is killed takes the rest with it.
killed() {
	local block='h.pwrite(b"%c" * 4096, %d); '
	command -v nbdsh >/dev/null || { skip "killed" "there is no nbdsh"; return; }
	truncate -s 1M disk.img
	"$DMUSE" create k --table "0 2048 powercut $PWD/disk.img 0" 2>pid
	# shellcheck disable=SC2059
	nbdsh -u "$("$DMUSE" export k)" -c "$(printf "$block" d 0) h.flush(); $(printf "$block$block" l 0 l 8192)"
	kill -9 "$(sed -n 's/.*(pid \([0-9]*\)).*/\1/p' pid)"
	is "$who: a killed daemon leaves what was flushed" "d" "$(tr -d '\0' <disk.img | tr -s d)"
	is "$who: with the next one the disk is suspended, because its cache is gone" "Suspended" "$("$DMUSE" info -c --noheadings -o suspended k)"
}

session_test raw ext4 group killed
