#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sessions whose daemon is killed: their programs go on with the daemon that its keeper starts; if there is none any more, they
# get errors and do not hang.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export NO_COLOR=1
log=$XDG_RUNTIME_DIR/dmuse/log

daemon_pid() { "$DMUSE" version --no-start | sed -n 's/^Daemon: *running, pid //p'; }
holder_of() { pgrep -f session-holder -P "$1"; }
gone() { [ ! -e "/proc/$1" ] || [[ $(cat "/proc/$1/stat") == *") Z "* ]]; }

# The device x, on a file; its table is made again from a file of tables.
start() {
	rm -f "$log"
	truncate -s 32M img
	echo "x,,,,0 65536 linear $PWD/img 0" >tables
	"$DMUSE" daemon --tables "$PWD/tables" 2>/dev/null
	daemon=$(daemon_pid)
	keeper=$(ps -o ppid= -p "$daemon" | tr -d ' ')
}

kill_daemon() {
	kill -9 "$daemon"
	daemon=$(daemon_pid)
}

# Writes until the file `enough` is there, and reads all of it again.
cat >"$work/writer" <<'P'
import os, sys
fd, n, at = os.open("/dev/mapper/x", os.O_RDWR), 0, {}
while not os.path.exists("enough"):
    at[n * 7 % 997] = n
    os.pwrite(fd, n.to_bytes(8, "little") * 512, n * 7 % 997 * 4096)
    n += 1
    if n % 64 == 0:
        os.fsync(fd)
    if n == 100:
        open("going", "w").close()
bad = [p for p, v in at.items() if os.pread(fd, 4096, p * 4096) != v.to_bytes(8, "little") * 512]
print("wrong blocks:", len(bad))
P

programs_go_on() {
	start
	"$DMUSE" exec python3 "$work/writer" >out 2>&1 &
	local program=$!
	until_true [ -e going ]
	holder=$(holder_of "$daemon")
	kill_daemon
	is "$who: the session has the same holder, which the keeper has adopted" "$holder" "$(holder_of "$keeper")"
	kill_daemon
	touch enough
	wait $program
	is "$who: a program that writes sees no error, and finds all that it has written" "0:wrong blocks: 0" "$?:$(cat out)"
	"$DMUSE" exec readlink /proc/self/ns/mnt >entered
	is "$who: the next program enters the same session" "$(readlink "/proc/$holder/ns/mnt")" "$(cat entered)"
	works "$who: shutdown ends it" shutdown
	ok "$who: and the holder" until_true gone "$holder"
	ok "$who: and the keeper" until_true gone "$keeper"
}

programs_get_an_error() {
	start
	"$DMUSE" exec python3 "$root/tests/tools/read_until_error.py" >out 2>&1 &
	local program=$!
	until_true [ -e going ]
	holder=$(holder_of "$daemon")
	kill_daemon
	kill_daemon
	kill -9 "$daemon"
	wait $program
	is "$who: after the third death a program gets an error" "0:error" "$?:$(cat out)"
	ok "$who: the holder ends" until_true gone "$holder"
	rm going
	start
	"$DMUSE" exec python3 "$root/tests/tools/read_until_error.py" >out 2>&1 &
	program=$!
	until_true [ -e going ]
	holder=$(holder_of "$daemon")
	kill -STOP "$daemon"
	kill -9 "$keeper" "$daemon"
	wait $program
	is "$who: so it does when keeper and daemon are killed" "0:error" "$?:$(cat out)"
	ok "$who: and the holder ends" until_true gone "$holder"
	run exec true
	is "$who: the next command has a session of its own" 0 "$status"
}

# Reads a disk behind the page cache, until there is the file `enough`.
cat >"$work/disk" <<'P'
import os
fd, n = os.open("/dev/sdx", os.O_RDONLY), 0
while not os.path.exists("enough"):
    os.pread(fd, 512, 0)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    open("going", "w").close()
print("no error")
P

a_disk_whose_file_is_away() {
	rm -f going enough
	start
	truncate -s 1M image
	"$DMUSE" exec --disk "sdx=$PWD/image" python3 "$work/disk" >out 2>&1 &
	local program=$!
	until_true [ -e going ]
	mv image away
	kill_daemon
	ok "$who: a disk whose file cannot be opened again waits" until_true grep -q "disk 'sdx' waits, because its file could not be opened again: .*No such file" "$log"
	refuses "$who: and stays while its file is missing" 125 "disk 'sdx': cannot open '$PWD/image': No such file" exec --disk "sdx=$PWD/image" true
	truncate -s 1M image
	refuses "$who: another file is not taken for it" 125 \
		"disk 'sdx' waits for its file: '$PWD/image' is another file or disk than it was, or has another size" exec --disk "sdx=$PWD/image" true
	touch enough
	ok "$who: its program waits" kill -0 $program
	mv away image
	works "$who: until the file is shown again" exec --disk "sdx=$PWD/image" true
	wait $program
	is "$who: and sees no error" "0:no error" "$?:$(cat out)"
	refuses "$who: with it the disk ends" 1 "" exec test -e /dev/sdx
	works "$who: shutdown" shutdown
	ok "$who: the keeper ends" until_true gone "$keeper"
	rm -f going enough
}

# The session's end waits for a program that has a device open, and that ends when something is written to `fifo`.
begin_to_end() {
	start
	mkfifo fifo
	"$DMUSE" exec bash -c 'exec 7</dev/mapper/x; setsid bash -c "touch going; read -r _ <fifo; touch released" & until [ -e going ]; do sleep 0.02; done' >out 2>&1
	kill -TERM "$daemon"
	until_true pgrep -f session-ender -P "$daemon"
}

# The daemon is killed while the session's end waits for a program that still uses a device.
an_end_that_is_interrupted() {
	begin_to_end
	kill -9 "$daemon"
	until_true grep -q "it was started again" "$log"
	ok "$who: a daemon that was killed while it was ending is started again" until_true pgrep -f session-ender -P "$(pgrep -P "$keeper" -x dmuse)"
	timeout 10 sh -c 'echo >fifo'
	ok "$who: it waits for the program, and ends" until_true gone "$keeper"
	ok "$who: nothing is left" [ ! -e "$XDG_RUNTIME_DIR/dmuse/control" ]
}

told() { [ "$(awk '/^ShdPnd/ { print $2 }' "/proc/$1/status")" = 0000000000000000 ]; }

# As systemd does at the end of a service. A second signal to the same process would mean that nobody is to be waited for.
a_signal_to_all_processes() {
	begin_to_end
	kill -TERM "$keeper"
	until_true told "$keeper" && until_true told "$daemon"
	timeout 10 sh -c 'echo >fifo'
	ok "$who: a signal that goes to both processes ends them" until_true gone "$keeper"
	ok "$who: but no program that is to be waited for" [ -e released ]
}

# A daemon that waits for a program is not there any more for new commands, and has not ended yet.
a_command_while_it_ends() {
	begin_to_end
	"$DMUSE" create y --table '0 8 zero' >said 2>&1 &
	local command=$!
	ok "$who: a command that comes while the daemon ends says that it waits" until_true grep -q "the daemon on .*/dmuse/control has not ended yet: waiting for it" said
	refuses "$who: a daemon by hand is refused" 1 "the server on '.*/dmuse/control' has not ended yet: try again when it has" daemon
	is "$who: one that starts none does not wait" "No devices found" "$("$DMUSE" ls --no-start 2>/dev/null)"
	timeout 10 sh -c 'echo >fifo'
	wait $command
	is "$who: and goes on with the next daemon" 0 $?
	is "$who: which has only the new device" y "$("$DMUSE" info -c --noheadings -o name)"
	works "$who: shutdown" shutdown
}

if [ "$(uname -r | awk -F. '{ print $1 * 1000 + $2 }')" -lt 6009 ]; then
	skip "sessions" "this kernel cannot send requests of FUSE again"
	plan
else
	session_test programs_go_on programs_get_an_error a_disk_whose_file_is_away an_end_that_is_interrupted a_signal_to_all_processes \
		a_command_while_it_ends
fi
