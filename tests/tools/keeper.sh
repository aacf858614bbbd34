#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon's keeper: it starts the daemon again when that was killed, and nobody who connects meanwhile notices.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
export NO_COLOR=1
control=$XDG_RUNTIME_DIR/dmuse/control
log=$XDG_RUNTIME_DIR/dmuse/log

daemon_pid() { "$DMUSE" version | sed -n 's/^Daemon: *running, pid //p'; }
parent_of() { ps -o ppid= -p "$1" | tr -d ' '; }
name_of() { cat "/proc/$1/comm"; }
gone() { ended "$1"; }
stopped() { [[ $(cat "/proc/$1/stat") == *") T "* ]]; }
# connected N: so many clients wait for one of the sockets, which are listening (flag 10000).
connected() { [ "$(awk -v at="$XDG_RUNTIME_DIR/dmuse/" '$4 == "00000000" && index($8, at) == 1' /proc/net/unix | wc -l)" = "$1" ]; }
says() { grep -Eq -- "$1" "$log"; }
namespace=(-m)
[ "$(id -u)" = 0 ] || namespace=(-Urm)

# Starts one in the background; sets $daemon and $keeper.
start() {
	rm -f "$log"
	"$DMUSE" daemon "$@" 2>/dev/null
	daemon=$(daemon_pid)
	keeper=$(parent_of "$daemon")
}

# Starts one in the foreground, whose keeper is our child; its stderr is in err.
foreground() {
	rm -f err
	"$DMUSE" daemon --foreground 2>err &
	keeper=$!
	until_true grep -q serving err
	daemon=$(daemon_pid)
}

# ends WHAT STATUS: our child ends with that status.
ends() {
	wait "$keeper" 2>/dev/null
	is "$who: $1" "$2" $?
	ok "$who: and no daemon is left" until_true gone "$daemon"
	ok "$who: nor a socket" [ ! -e "$control" ]
	ok "$who: nor its lock" [ ! -e "$control.lock" ]
}

a_daemon_that_is_killed() {
	start --nbd-tcp 127.0.0.1:0
	is "$who: the daemon's parent is its keeper" dmuse-keeper "$(name_of "$keeper")"
	"$DMUSE" create x --table '0 100 zero'
	tcp=$("$DMUSE" export --all x | tail -n 1)
	kill -9 "$daemon"
	works "$who: the next command after kill -9 is answered" ls
	is "$who: by a daemon of the same keeper" "$keeper" "$(parent_of "$(daemon_pid)")"
	ok "$who: it is another one" [ "$daemon" != "$(daemon_pid)" ]
	ok "$who: the log says what has happened" says "the daemon \(pid $daemon\) was killed by signal 9 \(Killed\); it was started again with [0-9]+ device"
	"$DMUSE" create x --table '0 100 zero' 2>/dev/null
	is "$who: NBD has the same addresses" "$tcp" "$("$DMUSE" export --all x | tail -n 1)"
	is "$who: and serves there" 51200 "$(nbdinfo --size "$("$DMUSE" export x)")"
	is "$who: by TCP too" 51200 "$(nbdinfo --size "$tcp")"
	ok "$who: the keeper has little memory of its own" [ "$(awk '/^Private_Dirty/ { print $2 }' "/proc/$keeper/smaps_rollup")" -lt 1024 ]
	works "$who: shutdown ends it" shutdown
	ok "$who: and the keeper" until_true gone "$keeper"
}

# The keeper is stopped, so that there is no daemon for as long as we want.
who_connects_meanwhile_waits() {
	start
	"$DMUSE" create x --table '0 100 zero'
	uri=$("$DMUSE" export x)
	kill -STOP "$keeper"
	until_true stopped "$keeper"
	kill -9 "$daemon"
	until_true gone "$daemon"
	"$DMUSE" create y -n >made 2>&1 &
	local client=$!
	nbdinfo --size "$uri" >size 2>&1 &
	local reader=$!
	ok "$who: both have connected" until_true connected 2
	ok "$who: a command waits while there is no daemon" kill -0 $client
	refuses "$who: a second daemon is refused" 1 "a server is already listening" daemon
	kill -CONT "$keeper"
	wait $client
	is "$who: and is carried out by the next one" "0:" "$?:$(cat made)"
	works "$who: its device is there" info y
	wait $reader
	"$DMUSE" shutdown
}

signals_reach_the_daemon() {
	foreground
	kill -HUP "$keeper"
	works "$who: SIGHUP means nothing" ls
	kill -TERM "$keeper"
	ends "SIGTERM ends both" 0
	foreground
	kill -9 "$daemon"
	"$DMUSE" ls >/dev/null
	daemon=$(daemon_pid)
	kill -INT "$keeper"
	ends "SIGINT too, after a restart" 0
	foreground
	kill -STOP "$daemon"
	kill -TERM "$keeper"
	kill -9 "$daemon"
	ends "one that dies after it was told to end is started again, to do so" 0
	ok "$who: that was another one" grep -q "was killed by signal 9 (Killed); it was started again" err
	foreground
	kill -TSTP "$keeper"
	ok "$who: ^Z stops both" until_true stopped "$daemon"
	ok "$who: the keeper, too" until_true stopped "$keeper"
	kill -CONT "$keeper"
	works "$who: and both go on" ls
	kill -ABRT "$keeper"
	ends "SIGABRT ends it as it would have ended the daemon, and it is not started again" 134
	ok "$who: which is said" grep -q "was killed by signal 6 (Aborted)$" err
}

# without WHAT VARIABLE=VALUE OPTION...: a daemon of that kind has no keeper.
without() {
	env "$2" "$DMUSE" daemon "${@:3}" 2>/dev/null
	daemon=$(daemon_pid)
	is "$who: there is no keeper $1" "" "$(keeper_of "$daemon")"
	"$DMUSE" shutdown
}

who_has_none() {
	without "if nobody wants one" A=1 --restart-timeout 0
	without "if the environment says so" DMUSE_RESTART=0
	without "if there would be nothing to come back with" A=1 --ephemeral
	DMUSE_RESTART=0 start --restart-timeout 5
	is "$who: an option is stronger than the environment" "$keeper" "$(keeper_of "$daemon")"
	"$DMUSE" shutdown
	refuses "$who: both at once" 2 "--restart-timeout 5 starts a daemon again with its devices, and --ephemeral forgets them" daemon --ephemeral --restart-timeout 5
	DMUSE_RESTART=soon refuses "$who: a time that is none" 2 "DMUSE_RESTART=soon: not a number of seconds from 0 to 86400" daemon
	refuses "$who: nor here" 2 "--restart-timeout soon: not a number from 0 to 86400" daemon --restart-timeout soon
	refuses "$who: nor with exec" 125 "--restart-timeout soon: not a number from 0 to 86400" exec --restart-timeout soon true
	NOTIFY_SOCKET=not/absolute FDSTORE=10 start
	is "$who: an address of a service manager that is none is ignored" "$keeper" "$(keeper_of "$daemon")"
	"$DMUSE" shutdown
}

# held N: the keeper holds so many descriptors.
held() { [ "$(find "/proc/$keeper/fd" -mindepth 1 | wc -l)" -ge "$1" ]; }

# More messages than there is room for in its socket.
a_keeper_that_is_stopped() {
	local n before
	n=$(($(cat /proc/sys/net/core/wmem_default 2>/dev/null || echo 212992) / 512 + 10))	# messages are larger than that
	start
	before=$(find "/proc/$keeper/fd" -mindepth 1 | wc -l)
	kill -STOP "$keeper"
	until_true stopped "$keeper"
	# shellcheck disable=SC2046,SC2183 # one number a word, twice each
	works "$who: a daemon whose keeper is stopped goes on" create --concise "$(printf 'm%d,,,rw,0 8 linear memory\,size=4K:%d 0;' $(seq $n | sed p))"
	head -c 4K /dev/urandom >want
	nbdcopy --flush want "$("$DMUSE" export "m$n")"
	run remove m1 m2
	refuses "$who: but for one thing" 1 "whoever keeps descriptors for this daemon does not answer: is its keeper \(pid $keeper\) stopped\?" daemon --replace
	kill -CONT "$keeper"
	ok "$who: once that reads, it gets all that it is to hold" until_true held $((before + n - 2))
	kill -9 "$daemon"
	is "$who: and the next daemon has all devices" $((n - 2)) "$("$DMUSE" info -c --noheadings -o name | wc -l)"
	# shellcheck disable=SC2016
	ok "$who: memory has its data" timeout 60 sh -c 'nbdcopy "$1" - | cmp - want' sh "$("$DMUSE" export "m$n")"
	works "$who: shutdown ends it" shutdown
	ok "$who: and the keeper" until_true gone "$keeper"
}

# It waits for somebody to write to a fifo.
one_that_does_not_come_back() {
	mkfifo fifo
	echo 'x,,,,0 8 zero' >tables
	start --restart-timeout 1 --tables "$PWD/tables"
	mv fifo tables
	kill -STOP "$keeper"
	kill -9 "$daemon"
	until_true gone "$daemon"
	"$DMUSE" ls >/dev/null 2>listed &
	until_true connected 1
	kill -CONT "$keeper"
	ok "$who: a keeper waits for a daemon as long as it was told" until_true gone "$keeper"
	ok "$who: and says so" says "was killed by signal 9 \(Killed\), and the next one \(pid [0-9]+\) does not serve after 1 second: it is ended"
	wait $!
	like "$who: who waited gets an error" "^1:dmuse: ls: " "$?:$(cat listed)"
	is "$who: no file is left but the log and the state" $'log\nstate' "$(ls "$XDG_RUNTIME_DIR/dmuse")"
}

# Its keeper has no name that would tell its test, so everything is asked from inside.
a_private_daemon() {
	cat >program <<'P'
daemon=$(dmuse version | sed -n 's/^Daemon: *running, pid //p')
keeper=$(ps -o ppid= -p "$daemon" | tr -d ' ')
ps -o comm= -p "$keeper" "$daemon"
kill -9 "$daemon"
dmuse ls
again=$(dmuse version | sed -n 's/^Daemon: *running, pid //p')
[ "$again" = "$daemon" ] || [ "$(ps -o ppid= -p "$again" | tr -d ' ')" != "$keeper" ] || echo again
echo "$keeper $again" >pids
exit 7
P
	PATH=$(dirname "$DMUSE"):$PATH "$DMUSE" exec bash program >out 2>err
	is "$who: a private daemon that is killed is started again" $'7:dmuse-keeper\ndmuse-private\nNo devices found\nagain' "$?:$(cat out)"
	is "$who: nothing is said" "" "$(cat err)"
	read -r keeper daemon <pids
	ok "$who: both end with the program" gone "$keeper"
	ok "$who: the daemon, too" gone "$daemon"
	is "$who: and leave no directory" "" "$(ls "$TMPDIR")"
	cat >program <<'P'
daemon=$(dmuse version | sed -n 's/^Daemon: *running, pid //p')
echo "$(ps -o ppid= -p "$daemon")" >pids
kill -9 "$daemon" "$PPID"
P
	PATH=$(dirname "$DMUSE"):$PATH "$DMUSE" exec bash program >out 2>&1
	ok "$who: they end when the process that started them is killed, also if the daemon was killed first" until_true gone "$(tr -d ' ' <pids)"
	is "$who: and leave no directory" "" "$(ls "$TMPDIR")"
}

a_private_daemon_without() {
	cat >program <<'P'
cat "/proc/$(ps -o ppid= -p "$(dmuse version | sed -n 's/^Daemon: *running, pid //p')" | tr -d ' ')/comm"
P
	is "$who: --restart-timeout 0 is without" dmuse "$(PATH=$(dirname "$DMUSE"):$PATH "$DMUSE" exec --restart-timeout 0 bash program)"
}

# Who connects while the keeper has the socket is told the daemon that answers.
whose_number() {
	local told
	start
	kill -STOP "$keeper"
	kill -9 "$daemon"
	"$DMUSE" version >told & told=$!
	until_true connected 1
	kill -CONT "$keeper"
	wait $told
	is "$who: the process that is told is the daemon that answers" "$(daemon_pid)" "$(sed -n 's/^Daemon: *running, pid //p' told)"
	ok "$who: and not the one before it" [ "$(daemon_pid)" != "$daemon" ]
	"$DMUSE" shutdown
	until_true gone "$keeper"
}

three_deaths() {
	start
	for _ in 1 2 3; do
		kill -9 "$daemon"
		until_true gone "$daemon"
		daemon=$(daemon_pid 2>/dev/null)
	done
	ok "$who: after three deaths the keeper gives up" until_true gone "$keeper"
	ok "$who: and says so" says "was killed by signal 9 \(Killed\), the third death within 10 seconds: it is not started again"
	is "$who: no file is left but the log and the state" $'log\nstate' "$(ls "$XDG_RUNTIME_DIR/dmuse")"
	run create x -n
	like "$who: the next command starts another one" "started a daemon" "$err"
	is "$who: with a keeper of its own" dmuse-keeper "$(name_of "$(keeper_of "$(daemon_pid)")")"
}

a_keeper_that_is_killed() {
	start
	kill -9 "$keeper"
	until_true gone "$keeper"
	works "$who: a daemon in the background goes on without its keeper" create x -n
	is "$who: it is the same" "$daemon" "$(daemon_pid)"
	works "$who: and ends" shutdown
	start
	kill -STOP "$daemon" # so that it cannot notice
	kill -9 "$keeper" "$daemon"
	until_true gone "$keeper" # which has the sockets, too
	until_true gone "$daemon"
	run create x -n
	like "$who: when both were killed, the next command starts a daemon" "started a daemon" "$err"
	"$DMUSE" shutdown
	foreground
	kill -9 "$keeper"
	wait "$keeper" 2>/dev/null
	ok "$who: one in the foreground dies with the process that was started" until_true gone "$daemon"
}

a_daemon_that_cannot_start() {
	start
	refuses "$who: a second daemon is refused" 1 "a server is already listening on '$control'" daemon
	refuses "$who: in the foreground too" 1 "a server is already listening on '$control'" daemon --foreground
	works "$who: the first one is unharmed" ls
	"$DMUSE" shutdown
}

# Its table is made again from the file, so that the data does not depend on anything else.
memory_keeps_its_data() {
	echo 'm,,,,0 40960 linear memory\,size=20M:disk 0' >tables
	start --tables tables
	uri=$("$DMUSE" export m)
	head -c 4M /dev/urandom >want
	nbdcopy --flush want "$uri"
	truncate -s 20M want
	kill -9 "$daemon"
	# shellcheck disable=SC2016
	ok "$who: what was written to memory is there after kill -9" sh -c 'nbdcopy "$1" - | cmp - want' sh "$uri"
	is "$who: it is still sparse" $'4194304 data\n16777216 hole,zero' "$(nbdinfo --map "$uri" | awk '{ print $2, $4 }')"
	works "$who: and the end forgets it" shutdown
	start --tables tables
	# shellcheck disable=SC2016
	ok "$who: the next daemon's is empty" sh -c 'nbdcopy "$1" - | cmp -n 20971520 - /dev/zero' sh "$uri"
}

first_line() { nbdcopy "$("$DMUSE" export "$1")" - | head -n 1; }
sealed='import os, sys
fd = os.memfd_create("disk")
os.truncate(fd, 1 << 20)
os.write(fd, b"in memory\n")
open(sys.argv[1], "w").write(f"/proc/{os.getpid()}/fd/{fd}")
open(sys.argv[2]).read()'

# What another process has open, or sees; it has ended when the daemon is killed.
files_without_a_name() {
	start
	mkfifo fifo
	truncate -s 1M deleted named
	echo of a deleted file | dd of=deleted conv=notrunc status=none
	exec 7<>deleted 8<>named
	rm deleted
	works "$who: a table with a descriptor of the caller" create d --table '0 2048 linear /proc/self/fd/7 0'
	works "$who: another one with the same" create e --table '0 8 linear file,logical=512:/dev/fd/7 0'
	works "$who: read-only" create r -r --table "0 8 linear /proc/$$/fd/7 0"
	works "$who: one that has a name" create n --table '0 8 linear /proc/self/fd/8 0'
	is "$who: is known by that" "0 8 linear $PWD/named 0" "$("$DMUSE" table n)"
	python3 -c "$sealed" "$PWD/path" fifo &
	local process=$!
	until_true [ -s path ]
	works "$who: memory of another process" create m --table "0 2048 linear $(cat path) 0"
	unshare "${namespace[@]}" sh -c "mkdir -p own && mount -t tmpfs none own && truncate -s 1M own/file && echo elsewhere | dd of=own/file conv=notrunc status=none &&
		'$DMUSE' create other --table '0 8 linear $PWD/own/file 0' 2>refused; touch made; read -r _ <fifo" &
	local elsewhere=$!
	until_true [ -e made ]
	like "$who: a file that only the caller sees is not taken for another" \
		"'$PWD/own/file' is not there for the daemon: process [0-9]+, which asks, is in another mount namespace; '/proc/[0-9]+/root$PWD/own/file' would name its file" "$(cat refused)"
	works "$who: but with its namespace" create o --table "0 2048 linear /proc/$elsewhere/root$PWD/own/file 0"
	"$DMUSE" table >before
	exec 7>&- 8>&-
	timeout 10 sh -c 'echo >fifo; echo >fifo'
	wait $process $elsewhere
	kill -9 "$daemon"
	"$DMUSE" table >after
	ok "$who: the next daemon has the same tables" diff before after
	is "$who: and the data" "of a deleted file|in memory|elsewhere" "$(first_line d)|$(first_line m)|$(first_line o)"
	is "$who: nothing is suspended" "" "$("$DMUSE" info -c --noheadings -o name -S suspended=Suspended)"
	"$DMUSE" remove d e r n m o
	kill -9 "$(daemon_pid)"
	works "$who: what nobody uses is not kept" version
	is "$who: any more" 0 "$(find "/proc/$keeper/fd" -lname '*(deleted)' ! -lname '*:fuse-state *' | wc -l)"
	works "$who: shutdown" shutdown
}

keeps_files() { [ "$(find "/proc/$keeper/fd" -lname '*(deleted)' ! -lname '*:fuse-state *' | wc -l)" = "$1" ]; }
filled() { truncate -s 1M "$1" && echo "of $1" | dd of="$1" conv=notrunc status=none; }

# A file is removed, or another one takes its name: then only the daemon has it open.
files_that_lose_their_name() {
	start
	for file in removed replaced half away; do filled $file; done
	"$DMUSE" create d --table "0 2048 linear $PWD/removed 0"
	"$DMUSE" create e -r --table "0 8 linear file,logical=512:$PWD/removed 0"
	"$DMUSE" create r --table "0 2048 linear $PWD/replaced 0"
	"$DMUSE" create two --table "0 8 linear $PWD/half 0
8 8 linear $PWD/away 0"
	filled new
	mv new replaced
	rm removed half
	ok "$who: files that have lost their names are kept" until_true keeps_files 4
	"$DMUSE" create n --table "0 2048 linear $PWD/replaced 0"
	mv away there
	kill -9 "$daemon"
	is "$who: files without a name are there for the next daemon" "of removed|of removed|of replaced" "$(first_line d)|$(first_line e)|$(first_line r)"
	is "$who: and so is the one that has the name" "of new" "$(first_line n)"
	is "$who: a table with one that is away waits" "two" "$("$DMUSE" info -c --noheadings -o name -S suspended=Suspended 2>/dev/null)"
	"$DMUSE" table >before 2>/dev/null
	works "$who: another program takes them over" daemon --replace
	kill -9 "$(daemon_pid)"
	is "$who: and one after that" "of removed|of replaced|of new" "$(first_line d)|$(first_line r)|$(first_line n)"
	mv there away
	works "$who: the one that was away is back" resume two
	is "$who: with its other half" "of half" "$(first_line two)"
	"$DMUSE" table >after
	ok "$who: the tables are the same" diff before after
	"$DMUSE" remove d e r n
	ok "$who: what one of them uses is kept" until_true keeps_files 1
	"$DMUSE" suspend two
	"$DMUSE" load two --table '0 16 zero'
	"$DMUSE" resume two
	ok "$who: what nobody uses is not" until_true keeps_files 0
	works "$who: shutdown" shutdown
}

# Other users, or processes in other namespaces, could flood it.
nobody_else_reaches_it() {
	start
	find "/proc/$keeper/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' >inodes
	awk 'NR == FNR { ours[$1] = 1 } NR != FNR && $5 == "0002" && $7 in ours { print NF == 7 ? "no address" : $8 }' inodes /proc/net/unix >sockets
	is "$who: the keeper's sockets have no address" "no address" "$(sort -u sockets)"
	is "$who: there is nothing in the environment that a program could use" "" "$("$DMUSE" exec printenv NOTIFY_SOCKET)"
	kill -9 "$daemon"
	works "$who: the next daemon has it, too" ls
	is "$who: from the same keeper" "$keeper" "$(parent_of "$(daemon_pid)")"
	works "$who: shutdown" shutdown
	ok "$who: both end" until_true gone "$keeper"
}

# systemd before 254, and others that only want to know when it is ready.
a_service_manager_that_keeps_nothing() {
	python3 - "$work/notify" "$DMUSE" >said <<'P'
import os, signal, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
p = subprocess.Popen(["sh", "-c", 'WATCHDOG_PID=$$ exec "$0" daemon --foreground', sys.argv[2]], stderr=subprocess.DEVNULL,
                     env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1], WATCHDOG_USEC="300000"))
said, froms = [], set()
while "STOPPING=1" not in said:
    text, rights, _, _ = s.recvmsg(4096, 100)
    froms.add(int.from_bytes(rights[0][2][:4], "little") == p.pid and "main")
    said += text.decode().split("\n")
    if "READY=1" in said and said.count("WATCHDOG=1") > 2:
        p.send_signal(signal.SIGTERM)
print(*(s for s in said if s != "WATCHDOG=1"), p.wait(), *froms)
os.unlink(sys.argv[1])
P
	is "$who: it hears from the process that it has started" "READY=1 STOPPING=1 0 main" "$(cat said)"
}

ulimit -c 0
session_test a_daemon_that_is_killed who_has_none a_keeper_that_is_stopped who_connects_meanwhile_waits signals_reach_the_daemon one_that_does_not_come_back \
	whose_number three_deaths a_keeper_that_is_killed a_daemon_that_cannot_start a_private_daemon a_private_daemon_without \
	memory_keeps_its_data files_without_a_name files_that_lose_their_name nobody_else_reaches_it a_service_manager_that_keeps_nothing
