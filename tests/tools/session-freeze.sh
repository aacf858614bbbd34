#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Suspending a device freezes the file system mounted on it, so that the image below is clean meanwhile; resume thaws
# it.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# can WHAT TYPE PROGRAM: are there root, loop devices, a kernel that knows the type, and the program? Else WHAT is
# skipped.
can() {
	[ "$who" = root ] || return 1
	[ -e /dev/loop-control ] || { skip "$1" "there is no /dev/loop-control"; return 1; }
	grep -qw "$2" /proc/filesystems || modprobe -q "$2" 2>/dev/null || { skip "$1" "this kernel has no $2"; return 1; }
	type -P "$3" >/dev/null || { skip "$1" "there is no $3"; return 1; }
}
# frozen TYPE CHECK: the output of CHECK for the image while the device is suspended; whether a writer waits, and then
# continues.
frozen() {
	rm -f disk.img
	truncate -s 400M disk.img
	"$DMUSE" exec --create d="0 819200 linear $PWD/disk.img 0" -- bash -c "mkfs.$1 -q /dev/mapper/d && mkdir -p m && mount /dev/mapper/d m &&
		echo before >m/f && dmsetup suspend $3 d && if { $2; } >/dev/null 2>&1; then echo clean; else echo dirty; fi
		touch m/g & writer=\$!; kill -0 \$writer && echo waits; dmsetup resume d; wait \$writer && cat m/f; ls m | grep g; umount m" 2>&1
}
# A frozen xfs intentionally has a log to be replayed: what xfs_repair reports is that, and the count of free blocks,
# which is written lazily; the same on Linux (verified on 6.12 with tests/kernel/guest). Everything in the log is in its
# place already.
placed='xfs_db -r -c "path /f" -c "print core.size" disk.img | grep -q "size = 7" && cp --sparse=always disk.img copy.img &&
	{ xfs_repair -n copy.img >said 2>&1; [ $? = 1 ]; } && ! sed "/^Phase\|^ *- \|^No modify/d" said | grep -v "^ALERT\|^ignored\|^which may\|^sb_fdblocks\|^Cannot get host\|^Repair may\|^the image"'
# The copy is clean once it was mounted, and the data is there.
replayed='mkdir n && mount -o loop,nouuid copy.img n && cat n/f && umount n && xfs_repair -n copy.img >said 2>&1 && echo replayed'
freezes() {
	can "suspend freezes ext4" ext4 mkfs.ext4 && {
		is "$who: a suspended ext4 is clean below" $'clean\nwaits\nbefore\ng' "$(frozen ext4 "e2fsck -fn disk.img && ! dumpe2fs -h disk.img | grep -q needs_recovery")"
		is "$who: --nolockfs leaves it as it is" $'dirty\nwaits\nbefore\ng' "$(frozen ext4 "! dumpe2fs -h disk.img | grep -q needs_recovery" --nolockfs)"
	}
	can "suspend freezes xfs" xfs mkfs.xfs && {
		is "$who: a suspended xfs has all in its place below" $'clean\nwaits\nbefore\ng' "$(frozen xfs "$placed")"
		is "$who: and is clean when its log has been replayed" $'before\nreplayed' "$("$DMUSE" exec -- bash -c "$replayed" 2>&1)"
		is "$who: and not with --nolockfs" $'dirty\nwaits\nbefore\ng' "$(frozen xfs "$placed" --nolockfs)"
	}
}
# `dmuse suspend` also has --nolockfs.
ours_has_the_option() {
	local clean="! dumpe2fs -h disk.img | grep -q needs_recovery"
	can "dmuse suspend --nolockfs" ext4 mkfs.ext4 || return
	is "$who: dmuse suspend --nolockfs, and without" $'dirty\nclean\nbefore' "$(truncate -s 100M disk.img
		"$DMUSE" exec --create d="0 204800 linear $PWD/disk.img 0" -- bash -c "mkfs.ext4 -q /dev/mapper/d && mkdir m && mount /dev/mapper/d m &&
			echo before >m/f && for option in --nolockfs ''; do
				'$DMUSE' suspend \$option d && if { $clean; } >/dev/null 2>&1; then echo clean; else echo dirty; fi; '$DMUSE' resume d
			done; cat m/f; umount m" 2>&1)"
}
# An ordinary user's programs may not freeze: what is mounted is written out (syncfs), and a FUSE server keeps what it
# has.
written_out() {
	[ "$who" = user ] || return 0
	type -P fuse2fs mkfs.ext4 >/dev/null || { skip "$who: suspend of what a user has mounted" "there is no fuse2fs or mkfs.ext4"; return; }
	truncate -s 32M disk.img
	is "$who: a device with a user's file system on it is suspended and goes on" $'suspended\nbefore\nafter' "$("$DMUSE" exec --create d="0 65536 linear $PWD/disk.img 0" -- bash -c "
		mkfs.ext4 -q /dev/mapper/d && mkdir m && fuse2fs /dev/mapper/d m -o fakeroot >/dev/null && echo before >m/f && dmsetup suspend d &&
		dmsetup info -c --noheadings -o suspended d | tr '[:upper:]' '[:lower:]'; dmsetup resume d; cat m/f; echo after >m/g && cat m/g; umount m" 2>&1)"
}
# gone PID...: they have ended, and nothing else of the session is left.
gone() { ! kill -0 "$@" 2>/dev/null && [ -z "$(session_traces)" ]; }
# The daemon is killed while a file system is frozen, and not started again: the process that froze it thaws it, or nothing could even be
# unmounted.
thaws_without_the_daemon() {
	local daemon freezer pid
	can "the daemon killed, and nothing stays frozen" ext4 mkfs.ext4 || return
	truncate -s 32M disk.img
	"$DMUSE" daemon --foreground --restart-timeout 0 --socket "$PWD/d/control" --nbd-socket none 2>log & daemon=$!
	until_true grep -q serving log
	DMUSE_SOCKET=$PWD/d/control "$DMUSE" exec --create d="0 65536 linear $PWD/disk.img 0" -- bash -c "mkfs.ext4 -q /dev/mapper/d && mkdir m && mount /dev/mapper/d m &&
		dmsetup suspend d && { touch m/g & echo \$! >writer; >ready; wait; }" >out 2>&1 </dev/null & pid=$!
	until_true test -e ready
	freezer=$(pgrep -P $daemon dmuse-freezer)
	ok "$who: a process of the daemon's has frozen it, and a writer waits" kill -0 "$freezer" "$(cat writer)"
	kill -KILL $daemon
	wait $daemon 2>/dev/null
	wait $pid
	ok "$who: the daemon killed, what froze the file system thaws it: the writer's wait is over, and nothing is left" until_true gone "$(cat writer)" "$freezer"
}
# No process looks for mounts of a device that no program of a session has open: it would take longer than all else that a swap does.
only_if_open_in_a_session() {
	local daemon
	mkdir m
	"$DMUSE" daemon --foreground --log-level debug --restart-timeout 0 --socket "$PWD/d/control" --nbd-socket none 2>log & daemon=$!
	until_true grep -q serving log
	export DMUSE_SOCKET=$PWD/d/control
	"$DMUSE" create inside --table '0 8 zero' && "$DMUSE" create outside --table '0 8 zero' && "$DMUSE" mount m && exec 4<m/outside
	"$DMUSE" exec -- sh -ec 'exec 3</dev/mapper/inside; for d in inside outside; do "$1" suspend $d; "$1" resume $d; done' - "$DMUSE"
	is "$who: a process looks for mounts of a device that is open in a session, and of no other" "'inside': process N freezes what is mounted on it" \
		"$(sed -n "s/.*\('.*': process \)[0-9]*\( freezes\)/\1N\2/p" log)"
	exec 4<&-
	"$DMUSE" umount m
	kill $daemon
	wait $daemon
	unset DMUSE_SOCKET
}

# A session whose holder was killed goes on beside the one that the next command starts.
also_in_an_older_session() {
	local clean="! dumpe2fs -h disk.img | grep -q needs_recovery" pid holder
	can "suspend freezes what an older session has mounted" ext4 mkfs.ext4 || return
	truncate -s 32M disk.img
	export DMUSE_SOCKET=$PWD/d/control
	"$DMUSE" daemon && "$DMUSE" create d --table "0 65536 linear $PWD/disk.img 0"
	"$DMUSE" exec -- bash -c "mkfs.ext4 -q /dev/mapper/d && mkdir m && mount /dev/mapper/d m && echo before >m/f; mkfifo end; >ready; exec 3<end" >out 2>&1 </dev/null & pid=$!
	until_true test -e ready
	holder=$(session_holder)
	kill -KILL "$holder"
	until_true ended "$holder"
	is "$who: a program of a newer session uses the device, too" 4096 "$("$DMUSE" exec -- sh -c 'head -c 4096 /dev/mapper/d' | wc -c)"
	ok "$who: a device is suspended that an older session has mounted" "$DMUSE" suspend d
	ok "$who: what is mounted there is clean below" eval "$clean"
	ok "$who: and goes on" "$DMUSE" resume d
	ok "$who: with its log in use again" eval "! { $clean; }"
	: >end
	wait $pid
	"$DMUSE" shutdown
	unset DMUSE_SOCKET
}

session_test freezes ours_has_the_option written_out thaws_without_the_daemon only_if_open_in_a_session also_in_an_older_session
