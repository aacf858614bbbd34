#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse mount and umount if something else is mounted on the same directory: another file system, another daemon's
# devices, what a killed daemon has left. As root, and as an ordinary user through fusermount3 (called by
# mount-user.sh).
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
if [ "$(id -u)" = 0 ] && ! { true <>/dev/fuse; } 2>/dev/null; then
	skip "mounts over mounts" "this needs a /dev/fuse that opens"
	plan
	exit 0
fi
m=$work/m
mkdir "$m" third second
mount_end() {
	local place
	cd / || return
	for place in "$m" "$work/third" "$work/second"; do
		while umount -l "$place" 2>/dev/null || fusermount3 -uz "$place" 2>/dev/null; do :; done
	done
	tap_end
}
trap mount_end EXIT
mounts() { grep -c " $m " /proc/self/mountinfo; }
# Nobody serves what a killed daemon has left.
kill_daemon() {
	local pid
	pid=$("$DMUSE" version --json | tr -d ' \n' | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
	[ -n "$pid" ] || pid=$(pgrep -f "^$DMUSE daemon --socket $DMUSE_SOCKET$")
	kill_for_good "$pid"
}
export DMUSE_SOCKET=$work/one/control

works "a daemon" daemon --ephemeral --socket "$DMUSE_SOCKET"
works "a device" create z --table '0 8 zero'
works "mount" mount m
refuses "another daemon's mount on it" 1 "already files in $m" mount m --socket "$work/two/control"
is "there is one mount" 1 "$(mounts)"
"$DMUSE" shutdown --socket "$work/two/control" >/dev/null 2>&1

# Something else is on top.
if [ "$(id -u)" = 0 ]; then
	mount -t tmpfs over "$m"
	echo kept >"$m/file"
	refuses "umount takes no other file system away" 1 "mounted over the devices in $m \(over, type tmpfs\): unmount it first" umount m
	is "its files are there" kept "$(cat "$m/file")"
	umount "$m"
	is "and ours below" z "$(ls "$m")"
	mount -t tmpfs over "$m"
	echo kept >"$m/file"
	works "nor does the daemon's end" shutdown
	is "its files are there then" kept "$(cat "$m/file")"
	umount "$m"
	works "umount removes what is left below" umount m
	is "nothing is mounted" 0 "$(mounts)"
	works "a daemon" daemon --ephemeral --socket "$DMUSE_SOCKET"
	works "a device" create z --table '0 8 zero'
	works "mount" mount m
	exec 7<"$m/z"
	umount -l "$m"
	works "what somebody has taken away lazily is gone" umount m
	exec 7<&-
	works "mount" mount m
fi

# A daemon that was killed.
kill_daemon
ok "a killed daemon leaves a dead mount" eval '! ls "$m" 2>/dev/null'
works "a daemon" daemon --ephemeral --socket "$DMUSE_SOCKET"
works "a device" create z --table '0 8 zero'
works "mount on it replaces it" mount m
is "there is one mount" 1 "$(mounts)"
is "with the devices" z "$(ls "$m")"
kill_daemon
works "without a daemon umount removes a dead mount" umount m
is "nothing is mounted" 0 "$(mounts)"

# The next one has the device and the mount.
works "a daemon with a state" daemon --socket "$DMUSE_SOCKET"
works "a device" create z --table '0 8 zero'
works "mount" mount m
works "mount" mount second
works "mount" mount third
kill_daemon
"$DMUSE" daemon --socket "$DMUSE_SOCKET" 2>said
is "the next one says what is back, mounts in the order in which they were made" "dmuse: 1 device of an earlier daemon is back
dmuse: devices are files in $m
dmuse: devices are files in $work/second
dmuse: devices are files in $work/third" "$(cat said)"
is "so they are listed" "$m $work/second $work/third" "$("$DMUSE" mount | paste -sd ' ')"
is "in the place of the dead mount" 1 "$(mounts)"
is "with the devices" z "$(ls "$m")"
works "an orderly end removes it" shutdown
is "nothing is mounted" 0 "$(mounts)"

# Two at once.
works "a daemon" daemon --ephemeral --socket "$DMUSE_SOCKET"
pids=()
for _ in {1..8}; do
	"$DMUSE" mount m 2>/dev/null & pids+=($!)
	"$DMUSE" mount m --socket "$work/three/control" >/dev/null 2>&1 & pids+=($!)
done
won=0
for pid in "${pids[@]}"; do
	wait "$pid" && won=$((won + 1))
done
is "of many at once, of two daemons, one mounts" "1 1" "$won $(mounts)"
"$DMUSE" shutdown --socket "$work/three/control" >/dev/null 2>&1
works "the daemon ends" shutdown
is "no mount is left" 0 "$(mounts)"
plan
