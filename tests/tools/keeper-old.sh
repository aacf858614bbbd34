#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A daemon that is killed on a kernel that cannot send requests of FUSE again, as before Linux 6.9: programs get errors and do
# not hang, and what they do next works.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export NO_COLOR=1
log=$XDG_RUNTIME_DIR/dmuse/log
without=${DMUSE%/*}/tests/programs/no_resend.so

daemon_pid() { "$DMUSE" version --no-start | sed -n 's/^Daemon: *running, pid //p'; }

start() {
	truncate -s 1M img
	LD_PRELOAD=$without "$DMUSE" daemon 2>/dev/null
	"$DMUSE" create x --table "0 2048 linear $PWD/img 0"
}

a_session() {
	[ -e "$without" ] || { skip "$who: a session" "$without is not there"; return; }
	start
	"$DMUSE" exec python3 "$root/tests/tools/read_until_error.py" >out 2>&1 &
	local program=$!
	until_true [ -e going ]
	kill -9 "$(daemon_pid)"
	wait $program
	is "$who: a program gets an error" "0:error" "$?:$(cat out)"
	prints "$who: the device is there" x info -c --noheadings -o name
	works "$who: the next program has a session that works" exec dd if=/dev/mapper/x of=/dev/null bs=512 count=1 status=none
	ok "$who: the log says why" grep -q "files in /dev that are open end here: this kernel cannot send again" "$log"
	works "$who: shutdown" shutdown
}

a_directory_of_files() {
	if [ "$who" != root ]; then
		skip "$who: a directory of files" "fusermount3 wants a user with a name"
		return
	fi
	start
	mkdir m
	works "$who: mount" mount "$PWD/m"
	exec 7<m/x
	kill -9 "$(daemon_pid)"
	"$DMUSE" ls >/dev/null
	ok "$who: a file that was open fails" eval '! head -c 1 <&7 2>/dev/null'
	exec 7<&-
	is "$who: the directory has the devices again" x "$(ls m)"
	works "$who: umount" umount "$PWD/m"
	works "$who: shutdown" shutdown
}

if LC_ALL=C grep -qa __asan_init "$DMUSE"; then
	skip "sessions" "a sanitizer wants to be loaded first"
	plan
else
	session_test a_session a_directory_of_files
fi
