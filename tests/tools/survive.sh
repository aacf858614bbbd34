#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Devices survive their daemon, also if its keeper is killed with it: the next command starts another one, or somebody does by
# hand; what ends, and what stays.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export NO_COLOR=1
run=$XDG_RUNTIME_DIR/dmuse

daemon_pid() { "$DMUSE" version | sed -n 's/^Daemon: *running, pid //p'; }
shown() { "$DMUSE" info 2>/dev/null; "$DMUSE" table; "$DMUSE" table --inactive; "$DMUSE" message low 0 @stats_list; }

# The daemon dies, whoever has started it.
kill_daemon() {
	kill_for_good "$(daemon_pid)"
}

make_devices() {
	truncate -s 1M disk
	"$DMUSE" create low --table "0 1024 linear $PWD/disk 8" 2>/dev/null
	"$DMUSE" create upper --uuid CRYPT-1 --table '0 512 linear low 0'
	"$DMUSE" load low --table "0 1024 linear $PWD/disk 16"
	"$DMUSE" suspend upper
	"$DMUSE" message low 0 @stats_create 0+64 8 >/dev/null
}

the_next_command_brings_them_back() {
	make_devices
	shown >before
	kill_daemon
	"$DMUSE" ls >/dev/null 2>said
	ok "$who: the next command starts a daemon" grep -q '^dmuse: started a daemon' said
	shown >after
	ok "$who: the devices are the same" diff before after
	kill_daemon
	ok "$who: one that starts a daemon anyhow has them, too" sh -c '"$1" create another --table "0 8 zero" 2>/dev/null' - "$DMUSE"
	shown >after
	"$DMUSE" remove another
	shown >after
	ok "$who: and changes none" diff before after
	kill_daemon
	"$DMUSE" ls --no-start >out 2>said
	is "$who: --no-start starts none" '' "$(grep low out)"
	ok "$who: and says what becomes of the devices" grep -q 'come back with the next daemon' said
	"$DMUSE" daemon 2>/dev/null
	shown >after
	ok "$who: one that was started by hand has them" diff before after
	kill_daemon
	"$DMUSE" daemon --io-threads 3 --nbd-socket "$PWD/n b d" 2>/dev/null
	kill_daemon
	"$DMUSE" ls >/dev/null 2>said
	ok "$who: a command's daemon says which options the killed one had" \
		grep -Fxq "dmuse: the daemon that was killed had options that this one has not: --io-threads 3 --nbd-socket $PWD/n\\ b\\ d" said
	kill_daemon
	"$DMUSE" ls >/dev/null 2>said
	is "$who: once" "" "$(grep options said)"
	works "$who: shutdown" shutdown
	ok "$who: after that there is no state" [ ! -e "$run/state" ]
	is "$who: nor a device" 'No devices found' "$("$DMUSE" ls 2>/dev/null)"
	is "$who: nor a daemon" log "$(ls "$run")"
}

what_cannot_be_brought_back() {
	make_devices
	kill_daemon
	mv disk away
	is "$who: a device whose file is missing is suspended" 1 "$("$DMUSE" info low 2>/dev/null | grep -c 'State: *SUSPENDED')"
	ok "$who: and says why" sh -c '"$1" info low 2>&1 | grep -q "could not be brought back.*No such file"' - "$DMUSE"
	is "$who: with its table" "0 1024 linear $PWD/disk 8" "$("$DMUSE" table low)"
	truncate -s 1M disk
	"$DMUSE" clear low
	"$DMUSE" resume low 2>said
	ok "$who: another file is not taken for it" grep -q 'is another file' said
	mv away disk
	works "$who: once it is back, resume finds it" resume low
	is "$who: and the device works" 524288 "$(nbdinfo --size "$("$DMUSE" export low)")"
	works "$who: shutdown" shutdown
}

# The number of a loop device is soon another file's.
another_disk_of_that_number() {
	local loop
	truncate -s 1M one two
	if [ "$who" != root ] || ! loop=$(losetup --show -f one 2>/dev/null); then
		skip "$who: another disk of the same number" "this takes root and loop devices"
		return
	fi
	"$DMUSE" create l --table "0 8 linear $loop 0" 2>/dev/null
	kill_daemon
	is "$who: a disk comes back" 0 "$("$DMUSE" info l 2>/dev/null | grep -c SUSPENDED)"
	kill_daemon
	losetup -d "$loop"
	losetup "$loop" two
	is "$who: another one of its number is not taken for it" 1 "$("$DMUSE" info l 2>said | grep -c 'State: *SUSPENDED')"
	ok "$who: and that is said" grep -q 'is another file or disk than it was' said
	works "$who: it can be loaded anew" load l --table "0 8 linear $loop 0"
	works "$who: and resumed" resume l
	works "$who: shutdown" shutdown
	losetup -d "$loop"
}

a_directory_of_its_own() {
	"$DMUSE" daemon --state "$PWD/kept" 2>/dev/null
	make_devices
	shown >before
	works "$who: shutdown" shutdown
	ok "$who: --state keeps the devices" [ -s kept/state ]
	is "$who: a daemon without it has none" 'No devices found' "$("$DMUSE" ls 2>/dev/null)"
	"$DMUSE" daemon --state "$PWD/kept" 2>/dev/null
	shown >after
	ok "$who: one with it has them" diff before after
	"$DMUSE" shutdown
	"$DMUSE" daemon --ephemeral 2>/dev/null
	"$DMUSE" create e --table '0 8 zero'
	ok "$who: --ephemeral keeps nothing" [ ! -e "$run/state" ]
	kill_daemon
	is "$who: and nothing comes back" 'No devices found' "$("$DMUSE" ls 2>/dev/null)"
	printf 'low,,,rw,0 8 zero\nnew,,,rw,0 8 zero\n' >tables
	"$DMUSE" daemon --state "$PWD/kept" --tables "$PWD/tables" 2>/dev/null
	is "$who: --tables leaves what is there already" "0 1024 linear $PWD/disk 8" "$("$DMUSE" table low)"
	is "$who: and makes the others" "0 8 zero " "$("$DMUSE" table new)"
	"$DMUSE" shutdown
	rm -r kept tables
}

# What the state has to remember of a mount is as long as its path.
a_mount_with_a_long_path() {
	local long
	[ "$who" = root ] || { skip "$who: a mount with a long path" "fusermount3 wants a user with a name"; return; }
	long=$PWD/$(printf 'l%.0s' {1..200})/$(printf 'm%.0s' {1..200})
	mkdir -p "$long"
	make_devices
	works "$who: a mount on a long path" mount "$long"
	shown >before
	kill_daemon
	"$DMUSE" ls >/dev/null 2>&1
	shown >after
	ok "$who: the devices are back" diff before after
	ok "$who: and so is the mount" until_true [ -f "$long/low" ]
	works "$who: umount" umount "$long"
	kill_daemon
	ok "$who: which is remembered, too" [ ! -e "$long/low" ]
	"$DMUSE" shutdown
}

session_test the_next_command_brings_them_back what_cannot_be_brought_back another_disk_of_that_number a_directory_of_its_own a_mount_with_a_long_path
