#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon's life: started by hand, on demand and by systemd, the tables file, signals, the end.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
control=$XDG_RUNTIME_DIR/dmuse/control

truncate -s 1M a.img b.img

# Starts a daemon in the foreground and waits until it serves; $pid, and its log in $work/log.
foreground() {
	mkfifo notify.fifo
	"$DMUSE" daemon --foreground "$@" 2> >(tee -p log >notify.fifo) &
	pid=$!
	while read -r line && [[ $line != *serving* ]]; do :; done <notify.fifo
	rm notify.fifo
}

# ends WHAT [SIGNAL]: the daemon in the foreground ends with status 0, after that signal or by itself; else its log tells why.
ends() {
	local status=0
	[ -z "${2:-}" ] || kill "-$2" "$pid"
	wait "$pid" || status=$?
	is "$1" 0 "$status"
	[ "$status" = 0 ] || sed 's/^/#   /' log
}

mode() { stat -c %a "$1"; }

# --- in the background ----------------------------------------------------------------------------------------------
works "daemon goes into the background when it serves" daemon
is "the directory is for its owner only" 700 "$(mode "$XDG_RUNTIME_DIR/dmuse")"
is "so is the socket" 600 "$(mode "$control")"
refuses "a second daemon is refused" 1 "$control" daemon
refuses "in the foreground too" 1 "$control" daemon --foreground
prints "the first one still answers" "No devices found" ls
works "shutdown ends it" shutdown
ok "and takes the sockets away" [ ! -e "$control" ]
ok "both" [ ! -e "$XDG_RUNTIME_DIR/dmuse/nbd" ]
ok "and the state" [ ! -e "$XDG_RUNTIME_DIR/dmuse/state" ]
like "and the log stays, with the time of each line" "^20[0-9-]+ [0-9:]+\+?.* dmuse: serving $control" "$(cat "$XDG_RUNTIME_DIR/dmuse/log")"
run create x -n 9<a.img
like "create starts one" "started a daemon \(pid [0-9]+\) on $control" "$err"
daemon=$(sed 's/.*pid \([0-9]*\).*/\1/' <<<"$err")
is "that is its pid" "dmuse daemon --socket $control" "$(tr '\0' ' ' <"/proc/$daemon/cmdline" | sed 's/ $//')"
is "it holds no descriptor of the caller's" "" "$(find "/proc/$daemon/fd" -lname '*a.img')"
kill -9 "$daemon"
works "one that was killed is started again at once" create y -n
again=$("$DMUSE" version | sed -n 's/^Daemon: *running, pid //p')
ok "that is another process" [ "$daemon" != "$again" ]
prints "with the devices" $'x\ny' info -c --noheadings -o name
kill_for_good "$again"
run create z -n
like "one that was killed with its keeper leaves a socket that does not hinder the next" "started a daemon" "$err"
"$DMUSE" shutdown

for i in 1 2 3 4; do "$DMUSE" create "r$i" -n 2>"err$i" & done
wait
is "four that need a daemon at once start one" 1 "$(cat err? | grep -c 'started a daemon')"
prints "and all have their device" $'r1\nr2\nr3\nr4' info -c --noheadings -o name
"$DMUSE" shutdown

refuses "a wish that needs certificates, without them" 2 "tls-verify-peer needs --tls-certificates DIR" daemon --tls-verify-peer

run daemon --allow-read
like "--allow-read in a closed directory lets nobody in, and that is said" "--allow-read has no effect: other users cannot search the directory" "$err"
"$DMUSE" shutdown

# --- where ----------------------------------------------------------------------------------------------------------
works "--socket" daemon --socket "$work/own"
prints "is found with --socket" "No devices found" ls --socket "$work/own"
DMUSE_SOCKET=$work/own run version --json
like "and with DMUSE_SOCKET it is the daemon's answer" '"daemon": true' "$out"
ok "its NBD socket stands beside it" [ -S "$work/nbd" ]
works "its end" shutdown --socket "$work/own"
works "--nbd-socket none" daemon --nbd-socket none
ok "makes no NBD socket" [ ! -e "$XDG_RUNTIME_DIR/dmuse/nbd" ]
"$DMUSE" create x -n
refuses "and then there is no address" 1 "export x: " export x
"$DMUSE" shutdown
works "--nbd-socket PATH" daemon --nbd-socket other
ok "makes it there" [ -S "$work/other" ]
"$DMUSE" shutdown
mkdir -m 0777 open
chmod 0777 open
refuses "a directory where others may write is refused" 1 "other users can write to the directory $work/open" daemon --socket "$work/open/control"
refuses "a path too long for a socket" 2 "too long for a socket" daemon --socket "$work/$(printf 'x%.0s' {1..110})"
refuses "a directory that cannot be made" 1 "cannot create the directory" daemon --socket "$work/no/where/control"
refuses "--engine knows its words" 2 "must be one of auto, uring, pool" daemon --engine steam
refuses "--io-threads is a number" 2 "--io-threads many" daemon --io-threads many
refuses "--busy-poll is a number" 2 "--busy-poll 5ms: not a number from 0 to 1000000" daemon --busy-poll 5ms
refuses "--nbd-memory has a least" 2 "--nbd-memory 5: must be at least 64 MiB" daemon --nbd-memory 5
refuses "--nbd-connections is a number" 2 "--nbd-connections no: not a number" daemon --nbd-connections no
refuses "... of at least one" 2 "--nbd-socket none" daemon --nbd-connections 0
refuses "--handshake-timeout is a number" 2 "--handshake-timeout 10s: not a number" daemon --handshake-timeout 10s
refuses "--log-level knows its words" 2 "must be one of error, warn, info, debug" daemon --log-level loud
refuses "daemon takes no words" 2 "unexpected word 'now'" daemon now
refuses "TCP to the world wants TLS" 1 "TLS|insecure" daemon --nbd-tcp 0.0.0.0:0
works "--engine pool --io-threads 1 --busy-poll 0 --log-level error" daemon --engine pool --io-threads 1 --busy-poll 0 \
	--log-level error
works "that works" create p --table '0 100 linear a.img 0'
"$DMUSE" shutdown

# The daemon turns away who does not ask within a second. A program that got no time for longer asks once more.
no_time=${DMUSE%/*}/tests/programs/no_time.so
if LC_ALL=C grep -qa __asan_init "$DMUSE"; then
	skip "a client without time" "a sanitizer has to be loaded first"
else
	works "a daemon with little patience" daemon --handshake-timeout 1
	"$DMUSE" create x -n
	is "a client that had no time in between has its answer" x "$(LD_PRELOAD=$no_time "$DMUSE" info -c --noheadings -o name 2>&1)"
	"$DMUSE" shutdown
fi

# --- who may ask ----------------------------------------------------------------------------------------------------
if [ "$(id -u)" = 0 ]; then
	theirs=$(mktemp -d "$outside/other-XXXXXX")
	chmod 0755 "$theirs"
	install -m 0755 "$DMUSE" "$theirs/dmuse"
	other() { setpriv --reuid 65534 --regid 65534 --clear-groups "$theirs/dmuse" "$@" --socket "$theirs/own/control" 2>&1; }
	works "a daemon for its owner" daemon --socket "$theirs/own/control"
	like "others may not even connect" "ls: cannot reach a daemon at $theirs/own/control: Permission denied" "$(other ls)"
	"$DMUSE" shutdown --socket "$theirs/own/control"
	rm -r "$theirs/own"
	works "a daemon with --allow-read" daemon --allow-read --socket "$theirs/own/control"
	is "has nothing to remark" "" "$err"
	"$DMUSE" create x -n --socket "$theirs/own/control"
	is "others may ask" "x	(252:0)" "$(other ls | sed 's/:[0-9]*/:0/')"
	like "but change nothing" "remove x: " "$(other remove x)"
	like "nor create" "create y: " "$(other create y -n)"
	like "nor end it" "shutdown: " "$(other shutdown)"
	is "so it is still there" "x" "$("$DMUSE" info -c --noheadings -o name --socket "$theirs/own/control")"
	"$DMUSE" shutdown --socket "$theirs/own/control"
	rm -rf "$theirs"
else
	skip "other users" "this takes root"
fi

# The default places without --socket, in a /run and /tmp of our own.
if unshare -m true 2>/dev/null; then
	cat >places <<'T'
mount -t tmpfs t /run && mkdir -p -m 0700 /run/user/65534 && chown 65534 /run/user/65534
dmuse() { env -u XDG_RUNTIME_DIR "$DMUSE" "$@" 2>&1; }
user() { env -u XDG_RUNTIME_DIR setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2>&1; }
echo "root: $(dmuse create --no-start x -n)"
echo "user: $(user "$DMUSE" create --no-start x -n)"
rmdir /run/user/65534
echo "user without a directory in /run: $(user "$DMUSE" create --no-start x -n)"
dmuse daemon
echo "root with an empty XDG_RUNTIME_DIR: $("$DMUSE" create x -n 2>&1 && "$DMUSE" info -c --noheadings -o name)"
dmuse shutdown
T
	theirs=$(mktemp -d "$outside/other-XXXXXX")
	chmod 0755 "$theirs"
	install -m 0755 "$DMUSE" "$theirs/dmuse"
	out=$(DMUSE=$theirs/dmuse unshare -m bash places)
	rm -rf "$theirs"
	like "root's daemon is in /run/dmuse" "^root: .*no daemon is running on /run/dmuse/control;" "$out"
	like "a user's in /run/user" "^user: .*no daemon is running on /run/user/65534/dmuse/control;" "$out"
	like "or else in /tmp" "^user without.*no daemon is running on /tmp/dmuse-65534/control;" "$out"
	is "root finds the system's daemon, too" "root with an empty XDG_RUNTIME_DIR: x" "$(grep XDG <<<"$out")"
else
	skip "the places that are tried" "this takes a mount namespace"
fi

# --- signals --------------------------------------------------------------------------------------------------------
for s in TERM INT; do
	foreground
	"$DMUSE" create x --table '0 100 linear a.img 0'
	"$DMUSE" create y --table '0 100 linear /dev/mapper/x 0'
	"$DMUSE" suspend x
	ends "SIG$s ends it cleanly, with devices, one suspended" $s
	ok "no socket stays" [ ! -e "$control" ]
done
foreground
kill -HUP "$pid"
prints "SIGHUP means nothing" "No devices found" ls
coproc W { exec "$DMUSE" wait nothing; }
wait "$W_PID" 2>/dev/null
"$DMUSE" create w -n
coproc W { exec "$DMUSE" wait w 0 2>&1; }
exec 7<&"${W[0]}"
until_true eval 'readlink "/proc/$W_PID/fd/"* 2>/dev/null | grep -q ^socket:' # else it might find no daemon, and start one
ends "a daemon that ends while a client waits" TERM
like "tells the client" "wait w: " "$(cat <&7)"

# --- what was written is there --------------------------------------------------------------------------------------
foreground
"$DMUSE" create vd --table '0 2048 linear a.img 0'
head -c 1M /dev/urandom >want
nbdcopy --flush want "$("$DMUSE" export vd)"
works "shutdown flushes" shutdown
ends "the daemon's exit status"
ok "and what was written is there" cmp want a.img

(ulimit -f 512 && exec "$DMUSE" daemon)
"$DMUSE" create vd --table '0 2048 linear b.img 0'
ok "beyond ulimit -f a write fails" eval '! nbdcopy want "$("$DMUSE" export vd)" 2>/dev/null'
like "and the daemon goes on" "^vd: 0 2048 linear$|File too large" "$("$DMUSE" ls --no-start 2>&1; "$DMUSE" status vd 2>&1)"
"$DMUSE" create m --table '0 2048 linear memory,size=1M:m 0'
ok "memory is not a file" nbdcopy want "$("$DMUSE" export m)"
works "its end" shutdown

# --- the tables file ------------------------------------------------------------------------------------------------
mkdir conf
cat >conf/tables <<'T'
# devices of this test

vd,UUID-vd,7,rw,0 1024 linear ../a.img 0,1024 1024 linear ../b.img 0
ro,,,ro,0 100 linear ../a.img 0
sizes,,,,0 64K zero
top,,,,0 100 linear /dev/mapper/vd 0
bare,,,
T
foreground --tables conf/tables
prints "--tables creates devices" $'bare:---w::0\nro:L--r::1\nsizes:L--w::1\ntop:L--w::1\nvd:L--w:UUID-vd:2' \
	info -c --noheadings -o name,attr,uuid,segments
prints "relative paths start in the file's directory" "0 1024 linear $work/a.img 0
1024 1024 linear $work/b.img 0" table vd
is "a pinned minor" 7 "$("$DMUSE" info -c --noheadings -o minor vd)"
ends "its end" TERM

cat >conf/bad <<'T'
one,,,,0 100 zero
two,,,,0 100 linear nofile 0
three,,
one,,,,0 1 zero
four,,,rx,0 100 zero
five,,,,0 100 zero
T
foreground --tables conf/bad
prints "a line that fails does not take the others away" $'five\none' info -c --noheadings -o name
ends "its end is clean" TERM
for l in "bad:2: two: .*nofile" "bad:3: three: .*fields" "bad:4: one: " "bad:5: four: .*ro or rw"; do
	like "the log names $l" "$l" "$(cat log)"
done
like "and counts them" "2 devices created, 4 failed" "$(cat log)"
run daemon --tables conf/bad
like "in the background they are said on stderr" "^0:.*conf/bad:2: two: " "$status:$(tr '\n' ' ' <<<"$err")"
"$DMUSE" shutdown
refuses "a tables file that is not there keeps the daemon from starting" 1 "cannot open .*conf/none" daemon --tables conf/none
ok "and leaves no socket" [ ! -e "$control" ]

# --- systemd --------------------------------------------------------------------------------------------------------
if command -v systemd-socket-activate >/dev/null; then
	mkdir act
	systemd-socket-activate -l "$work/act/control" -l "$work/act/nbd" "$DMUSE" daemon --foreground 2>act/log &
	pid=$!
	until_true grep -q "Listening on .*/nbd" act/log
	works "a client wakes a daemon that was handed its sockets" create x --socket "$work/act/control" --table '0 100 zero'
	prints "and the addresses are those of the sockets" "nbd+unix:///x?socket=$work/act/nbd" export x --socket "$work/act/control"
	is "NBD works too" 51200 "$(nbdinfo --size "nbd+unix:///x?socket=$work/act/nbd")"
	works "its end" shutdown --socket "$work/act/control"
	ends "is clean"
	ok "sockets of others are left alone" [ -S act/control ]
else
	skip "socket activation" "there is no systemd-socket-activate"
fi

python3 - "$work/notify" "$DMUSE" "$work/ready" <<'P' &
import os, signal, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
p = subprocess.Popen([sys.argv[2], "daemon", "--foreground", "--tables", "conf/bad"], stderr=subprocess.DEVNULL,
                     env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1]))
said = []
while "READY=1" not in said:
    said += s.recv(4096).decode().split("\n")
p.send_signal(signal.SIGTERM)
while "STOPPING=1" not in said:
    said += s.recv(4096).decode().split("\n")
print(*said, p.wait(), file=open(sys.argv[3], "w"))
P
wait $!
# A daemon that does not start says so where the journal listens, or elsewhere with the journal's variable inherited.
mkdir j
: >j/journal
stream=$(stat -c %d:%i j/journal)
JOURNAL_STREAM=$stream "$DMUSE" daemon --foreground --socket "$work/j/control" --tables j/none 2>j/journal
like "in the journal a line begins with its priority" "^<3>.*j/none" "$(cat j/journal)"
[ -e /run/systemd/journal/socket ] || {
	echo 'gone,,,rw,0 8 linear /nowhere 0' >j/tables
	JOURNAL_STREAM=$stream "$DMUSE" daemon --foreground --socket "$work/j/control" --tables j/tables 2>>j/journal &
	pid=$!
	until_true grep -q serving j/journal
	like "a line about a device, too, if the journal's socket is not there" "^<3>.*gone" "$(cat j/journal)"
	works "its end, too" shutdown --socket "$work/j/control"
	ends "is clean"
}
JOURNAL_STREAM=$stream "$DMUSE" daemon --foreground --socket "$work/j/control" --tables j/none 2>j/elsewhere
like "but not elsewhere" "^dmuse: .*j/none" "$(cat j/elsewhere)"

like "systemd is told: status, ready, stopping" "STATUS=2 devices created.* 4 failed READY=1 STOPPING=1 0$" "$(cat ready)"
plan
