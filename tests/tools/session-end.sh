#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The end of a session: what its programs have mounted and left running is ended before exec or the daemon ends, and
# nothing that was written is lost with exit code 0.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# Programs of this test's sessions that still exist, except those that have ended and were not waited for yet.
left() {
	local environ
	grep -lz "^DMUSE_SESSION=" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
		grep -qzF "XDG_RUNTIME_DIR=$work/" "$environ" && cat "${environ%environ}comm"
	done 2>/dev/null
}
nothing_left() { is "$who: $1: nothing is left" "" "$(left)$(session_traces)"; }
# A daemon has answered, and its processes end.
nothing_stays() { ok "$who: $1: nothing is left" until_true eval '[ -z "$(left)$(session_traces)" ]'; }

image() {
	truncate -s 40M disk.img
	mkfs.ext4 -qF disk.img
	mkdir -p m n
}
# in_vd WORDS...: exec with the image as /dev/mapper/vd; its output goes to `out`, so that programs left behind hold no
# pipe.
in_vd() {
	"$DMUSE" exec --create "vd=0 81920 linear $PWD/disk.img 0" "$@" >out 2>&1 </dev/null
	status=$?
}
# The content of FILE in the image.
has() { debugfs -R "cat $1" "${2:-disk.img}" 2>/dev/null; }

# Two files on a FUSE mount, no sync, no umount.
fuse_left() {
	image
	in_vd -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1
		echo hello >m/hello; head -c 3M /dev/urandom >much; cp much m/much'
	is "$who: a FUSE mount that is left: exec succeeds" "0:" "$status:$(cat out)"
	is "$who: one file is in the image" hello "$(has hello)"
	ok "$who: the other, too" cmp much <(has much)
	nothing_left "a FUSE mount"
}

fuse_nested() {
	image
	in_vd -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1; truncate -s 8M m/img; mkfs.ext4 -qF m/img
		fuse2fs -o fakeroot m/img n >log 2>&1; echo deep >n/deep; mkdir m/dev; mount --rbind /dev m/dev'
	is "$who: mounts on mounts" "0:" "$status:$(cat out)"
	has img >inner
	is "$who: are unmounted deepest first" deep "$(has deep inner)"
	nothing_left "nested mounts"
}

# Programs that still work are waited for, however long it takes within the limit.
worker() {
	image
	head -c 30M /dev/urandom >much
	in_vd -- sh -c 'dd if=much of=/dev/mapper/vd bs=64K oflag=direct status=none &'
	is "$who: a program that still writes to a device is waited for" "0:" "$status:$(cat out)"
	ok "$who: all that it wrote is there" cmp -n 31457280 much disk.img
	nothing_left "a writer"
}

# A writer to descriptor 3 in a mount namespace of its own, in which nothing of the session is mounted any more: it holds the device,
# and that is all.
apart='
import ctypes, os
libc = ctypes.CDLL(None)
assert not libc.unshare(0x20000)
for line in reversed(open("/proc/self/mountinfo").readlines()):
    if " - fuse.dmuse dmuse " in line:
        libc.umount2(line.split()[4].encode(), 2)
open("apart", "w").close()
for n in range(3000):
    os.pwrite(3, b"%4096d" % n, 4096 * n)
    os.fdatasync(3)'

# Mounts the device dmuse by this name, which is its path from where it is.
called='
import ctypes, os
here = os.getcwd().encode()
os.chdir("/dev/mapper")
assert not ctypes.CDLL(None).mount(b"dmuse", here + b"/m", b"ext4", 0, None)'

# What is not seen at once: a program that shows only by its descriptor, a mount that calls itself as ours do.
hidden() {
	image
	in_vd -- sh -c 'python3 -c "$1" 3<>/dev/mapper/vd & until [ -e apart ]; do :; done' sh "$apart"
	is "$who: a program without the /dev of the session that writes: exec succeeds" "0:" "$status:$(cat out)"
	is "$who: all that it wrote is there" 2999 "$(dd if=disk.img bs=4096 skip=2999 count=1 status=none | tr -d ' ')"
	nothing_left "a writer that hides"
	if [ "$who" = user ] || [ ! -e /dev/loop-control ]; then
		skip "$who: a mount that is called as ours" "this takes root and loop devices"
		return
	fi
	image
	"$DMUSE" exec --create "dmuse=0 81920 linear $PWD/disk.img 0" -- sh -euc 'python3 -c "$1"; grep -c "^dmuse $PWD/m " /proc/mounts
		echo hello >m/hello' sh "$called" >out 2>&1 </dev/null
	is "$who: a mount whose source is called dmuse is unmounted" "0:1:hello" "$?:$(cat out):$(has hello)"
	is "$who: and clean" 0 "$(e2fsck -fn disk.img >/dev/null 2>&1; echo $?)"
	nothing_left "such a mount"
}

# Programs that do not end are named and ended.
held() {
	image
	refuses "$who: a limit that is no number" 125 "--stop-timeout soon: not a number" exec --stop-timeout soon -- true
	refuses "$who: a limit of openings that is no number" 125 "--open-timeout soon: not a number" exec --open-timeout soon -- true
	in_vd --stop-timeout 1 -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1; echo hello >m/hello
		(cd m; >../inside; exec sleep 1000) & (>open; exec sleep 1000) 3</dev/mapper/vd & until [ -e inside ] && [ -e open ]; do :; done'
	like "$who: what is still in use is named and ended" "^125:dmuse: exec: [0-9]+ s after its end .*sleep \(pid [0-9]+\) with $PWD/m[ ,:]" \
		"$status:$(cat out)"
	like "$who: by device, too" "sleep \(pid [0-9]+\) with /dev/mapper/vd" "$(cat out)"
	is "$who: what had been written is there all the same" hello "$(has hello)"
	nothing_left "mounts in use"
	[ "$who" = root ] || return
	in_vd --stop-timeout 1 -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1; kill -STOP $(pgrep --ns $$ --nslist mnt -f "^fuse2fs.* m$")'
	like "$who: a FUSE server that hangs, too" "^125:.*fuse2fs \(pid [0-9]+\) with /dev/mapper/vd" "$status:$(cat out)"
	nothing_left "a hung server"
}

# ^C, or SIGTERM: stops waiting.
interrupted() {
	local pid
	image
	"$DMUSE" exec --stop-timeout 1000 --create "vd=0 81920 linear $PWD/disk.img 0" -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1
		echo hello >m/hello; (cd m; >../inside; exec sleep 1000) & until [ -e inside ]; do :; done' >out 2>&1 </dev/null & pid=$!
	until_true eval 'pgrep -xP "$(pgrep -P "$(pgrep -P '$pid' dmuse-keeper)" dmuse-private)" dmuse-ender' >/dev/null
	kill -TERM $pid
	wait $pid
	like "$who: SIGTERM while exec waits ends the wait" "^125:.*sleep \(pid [0-9]+\) with $PWD/m" "$?:$(cat out)"
	is "$who: and loses nothing" hello "$(has hello)"
	nothing_left "an interrupted end"
}

# Nobody is left who would wait.
killed() {
	local pid
	image
	"$DMUSE" exec --create "vd=0 81920 linear $PWD/disk.img 0" -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1
		echo hello >m/hello; >ready; exec sleep 1000' >out 2>&1 </dev/null & pid=$!
	until_true test -e ready
	kill -KILL $pid
	wait $pid 2>/dev/null
	ok "$who: exec was killed: its daemon brings all to an end" until_true eval '[ -z "$(left)$(session_traces)" ]'
	is "$who: and loses nothing" hello "$(has hello)"
	rm ready
	"$DMUSE" exec --create "vd=0 81920 linear $PWD/disk.img 0" -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1
		echo again >m/again; >ready; exec 3<>fifo; read x <&3' >out 2>&1 </dev/null & pid=$!
	mkfifo fifo
	until_true test -e ready
	kill -KILL "$(pgrep -P $pid dmuse-supervise)"
	echo >fifo
	wait $pid
	is "$who: the supervisor was killed: nothing is lost" "again" "$(has again)"
	nothing_left "a killed supervisor"
}

# Those that have no data: daemons of the device-mapper's tools are ended, others are left alone.
bystanders() {
	local pid
	image
	if command -v dmeventd >/dev/null; then
		in_vd -- sh -c 'exec 3</dev/mapper/control; dmeventd -R >/dev/null 2>&1; dmeventd; exec true'
		nothing_left "dmeventd"
	else
		skip "$who: dmeventd" "it is not installed"
	fi
	in_vd -- sh -c '([ '"$who"' = user ] || trap "" TERM; exec sleep 1000 3</dev/mapper/control) &'
	is "$who: a tool's daemon is no failure" "0:" "$status:$(cat out)"
	nothing_left "a tool's daemon"
	in_vd -- sh -c 'sleep 1000 & echo $! >pid'
	pid=$(cat pid)
	is "$who: who uses nothing of the session keeps nobody waiting, and goes on" "0:sleep" "$status:$(cat "/proc/$pid/comm")"
	kill "$pid"
	ok "$who: its supervisor goes with it" until_true eval '[ -z "$(session_traces)" ]'
}

# With a daemon, mounts are kept until it ends; that is intended.
shared() {
	export DMUSE_SOCKET=$PWD/d/control
	image
	works "$who: a daemon" daemon --stop-timeout 1
	in_vd -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1; echo hello >m/hello'
	is "$who: with a daemon a mount outlives exec" "0:hello" "$status:$("$DMUSE" exec -- cat m/hello)"
	kill -KILL "$(session_holder)"
	works "$who: the daemon ends, even without the process that held the session" shutdown
	is "$who: nothing is lost" hello "$(has hello)"
	nothing_stays "a daemon's end"
	works "$who: a daemon" daemon --stop-timeout 1
	in_vd -- sh -euc 'fuse2fs -o fakeroot /dev/mapper/vd m >log 2>&1; (cd m; >../inside; exec sleep 1000) & until [ -e inside ]; do :; done'
	refuses "$who: what is in use at the daemon's end is named and ended" 1 "sleep \(pid [0-9]+\) with $PWD/m" shutdown
	nothing_stays "a daemon's end"
	unset DMUSE_SOCKET
}

# What root mounts goes through a loop device.
root_mounts() {
	[ "$who" = root ] || return
	if [ ! -e /dev/loop-control ]; then
		skip "root: mounts" "there is no /dev/loop-control"
		return
	fi
	exec 8</dev/loop-control
	flock 8		# only one test at a time uses loop devices
	image
	in_vd -- sh -euc 'mount /dev/mapper/vd m; echo hello >m/hello; mkdir m/tmp; mount --bind /tmp m/tmp
		truncate -s 8M m/img; mkfs.ext4 -qF m/img; mount -o loop m/img n; echo deep >n/deep'
	is "root: mounts on mounts are unmounted" "0::" "$status:$(cat out):$(losetup -nO BACK-FILE | grep -F "$PWD")"
	has img >inner
	is "root: nothing is lost" "hello deep" "$(has hello) $(has deep inner)"
	in_vd -- sh -euc 'l=$(losetup -f --show /dev/mapper/vd); mount "$l" m; echo loop >m/loop; echo "$l" >loop'
	is "root: a loop device that a program attached goes, too" "0::loop" "$status:$(losetup -nO BACK-FILE "$(cat loop)" 2>/dev/null):$(has loop)"
	in_vd -- sh -c 'truncate -s 40M pv; l=$(losetup -f --show pv); vgcreate -q vg "$l" >log 2>&1; lvcreate -qL 12M -n lv vg >>log 2>&1
		mkfs.ext4 -q /dev/vg/lv; mount /dev/vg/lv m; echo lv >m/lv; echo "$l" >loop'
	is "root: so does one on a file of the machine, below a volume that is mounted" "0::" \
		"$status:$(cat out):$(losetup -nO BACK-FILE "$(cat loop)" 2>/dev/null)"
	in_vd -- sh -c 'unshare -m sh -c "mount /dev/mapper/vd m; >ready; head -c 8M /dev/urandom | tee much >m/much" & until [ -e ready ]; do :; done'
	is "root: a program in a mount namespace of its own is waited for" "0:" "$status:$(cat out)"
	ok "root: it lost nothing" cmp much <(has much)
	in_vd --stop-timeout 1 -- sh -c 'mount /dev/mapper/vd m; exec 3<m; umount -l m; echo lazy >/proc/self/fd/3/lazy; sleep 1000 &'
	like "root: what keeps a mount that was taken away lazily is named" "^125:.*sleep \(pid [0-9]+\)" "$status:$(cat out)"
	is "root: and has lost nothing" lazy "$(has lazy)"
	in_vd -- sh -c 'mount /dev/mapper/vd m; head -c 1M /dev/urandom >m/lost
		dmsetup load vd --table "0 81920 error"; dmsetup resume --noflush --nolockfs vd'
	like "root: writes that fail at the end are told" "^125:dmuse: exec: [0-9]+ writes? to 'vd' failed" "$status:$(cat out)"
	e2fsck -fy disk.img >/dev/null 2>&1
	in_vd --stop-timeout 1 -- sh -c 'mount /dev/mapper/vd m; echo held >m/held; dmsetup suspend --nolockfs vd'
	like "root: so is a device that was left suspended under its file system" "^125:dmuse: exec: 'vd' was suspended" "$status:$(cat out)"
	freezer_spared
	nothing_left "root's mounts"
	exec 8<&-
}

# What has frozen a file system is no program of a user's: it thaws that when the daemon lets the device go, and must live till then.
freezer_spared() {
	local pid daemon freezer
	rm -f inside
	"$DMUSE" exec --stop-timeout 1000 --create "vd=0 81920 linear $PWD/disk.img 0" -- sh -euc 'mount /dev/mapper/vd m; echo cold >m/cold
		(cd m; echo $$ >../inside; exec sleep 1000) & until [ -s inside ]; do :; done; dmsetup suspend vd' >out 2>&1 </dev/null & pid=$!
	until_true eval 'daemon=$(pgrep -P "$(pgrep -P '$pid' dmuse-keeper)" dmuse-private) && pgrep -xP $daemon dmuse-ender'
	freezer=$(pgrep -xP "$daemon" dmuse-freezer)
	kill -STOP "$freezer"
	kill -TERM $pid
	until_true eval '! left | grep -q sleep'
	kill -CONT "$freezer"
	wait $pid
	like "root: what has frozen a file system is not named among its users" "^125:dmuse: exec: [0-9]+ s after its end .* killed: sleep \(pid [0-9]+\) with $PWD/m: " \
		"$?:$(cat out)"
	is "root: and thaws it" cold "$(has cold)"
}

# silent_mount WORDS...: exec, which leaves a mount below one whose server is no process of the session and does not answer any more.
silent_mount() {
	rm -f ready served bound; mkdir -p m
	exec 7<>"${DMUSE_FUSE_DEVICE:-/dev/fuse}"
	"$DMUSE" exec "$@" -- sh -euc 'mount -it fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 silent m; exec 7<&-; >ready
		until [ -e served ]; do :; done; >file; mount --bind file m/stuck; >bound; until [ ! -e served ]; do :; done' >out 2>&1 </dev/null & pid=$!
	until_true test -e ready
	"$(dirname "$DMUSE")/tests/programs/silent_fs" /dev/fd/7 >served & server=$!
	exec 7<&-
	until_true test -e bound
	kill -STOP "$server"
	rm served
}
silent_end() {
	wait "$pid"
	status=$?
	kill -KILL "$server"
	wait "$server" 2>/dev/null
}

# An unmount that does not return, although nobody is in the way.
silent() {
	local pid server
	[ "$who" = root ] || return
	silent_mount --stop-timeout 1
	silent_end
	like "root: an unmount that hangs is given up, and named" "^125:dmuse: exec: [0-9] s after its end .*could not be unmounted: .*$PWD/m/stuck" "$status:$(cat out)"
	nothing_stays "a hung unmount"
	silent_mount --stop-timeout 1000
	until_true eval 'pgrep -xP "$(pgrep -P "$(pgrep -P '"$pid"' dmuse-keeper)" dmuse-private)" dmuse-ender' >/dev/null
	kill -TERM "$pid"
	kill -TERM "$pid"
	silent_end
	like "root: or when nobody wants to wait" "^125:dmuse: exec: [0-9]+ s after its end .*could not be unmounted: .*$PWD/m/stuck" "$status:$(cat out)"
	nothing_stays "a hung unmount"
}

if command -v fuse2fs >/dev/null; then
	session_test fuse_left fuse_nested worker hidden held interrupted killed bystanders shared root_mounts silent
else
	skip "fuse2fs" "it is not installed"
	plan
fi
