#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Which daemon is used: never another user's, however its socket came to be there; and if there is none, the message
# says where it was looked for and why.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1
control=$XDG_RUNTIME_DIR/dmuse/control
json() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)" <<<"$out"; }

# --- no daemon ------------------------------------------------------------------------------------------------------
# absent WHAT REGEXP: the stderr of commands that find no daemon.
absent() {
	local c
	for c in ls info "info -c" status table deps stats "ls --tree" "table --concise" "ls --json" mount mknodes remove_all \
		shutdown version; do
		# shellcheck disable=SC2086
		run $c
		like "$1: $c" "^0:dmuse: ${c%% *}: $2" "$status:$err"
	done
	refuses "$1: a device that is named" 1 "info x: no device is named 'x': $2" info x
	refuses "$1: a uuid" 1 "no device with uuid 'x': $2" info -u x
	refuses "$1: export" 1 "no device is named 'x': $2" export x
	run check --table '0 1 zero'
	is "$1: a table that is only checked needs none" "0:" "$status:$err"
}
absent "never started" "no daemon is running on $control"
"$DMUSE" daemon
run version
pid=$(sed -n 's/^Daemon: *running, pid //p' <<<"$out")
is "version tells the daemon's process" "dmuse daemon" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | sed "s,^$DMUSE,dmuse,; s/ $//")"
like "and its socket" "^Socket: +$control$" "$out"
run version --json
is "as JSON, too" "$pid $control" "$(json 'd["pid"], d["socket"]')"
kill_for_good "$pid"
absent "killed" "no daemon is running on $control: the socket exists, but nothing listens"
rm "$control" "$control.lock"
echo text >"$control"
for c in ls "info x" "create x -n" "export x" shutdown; do
	# shellcheck disable=SC2086
	refuses "a text file in the socket's place: $c" 1 "no daemon is running on $control: it is not a socket but a regular file" $c
done
is "it stays as it is" text "$(cat "$control")"
rm "$control"

XDG_RUNTIME_DIR=run/user refuses "a relative XDG_RUNTIME_DIR" 1 \
	"XDG_RUNTIME_DIR 'run/user' is not an absolute path" create x -n
ok "nothing is made there" [ ! -e run/user ]

# Not forever, either: its queue is full, and it accepts no connections.
full() {
	local pid
	mkfifo full-is
	python3 - "$work/full" <<-'END' &
		import contextlib, os, signal, socket, sys
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1])
		listener.listen(0)
		waiting = []
		with contextlib.suppress(BlockingIOError):
		    while True:
		        waiting.append(socket.socket(socket.AF_UNIX))
		        waiting[-1].setblocking(False)
		        waiting[-1].connect(sys.argv[1])
		open("full-is", "w").close()
		signal.pause()
	END
	pid=$!
	cat full-is
	refuses "a daemon whose queue is full is not waited for" 1 \
		"the daemon on $work/full has accepted no connection for 5 seconds" --socket "$work/full" version
	kill $pid
	wait
}
full

# It says that it waits no longer, and has not hung up yet; who connects anew is served.
impatient() {
	local pid
	mkfifo listens
	mkdir impatient
	python3 - "$work/impatient/control" <<-'END' &
		import plistlib, socket, sys
		def say(stream, **keys):
		    text = plistlib.dumps(keys)
		    stream.write(len(text).to_bytes(4, "big") + text)
		    stream.flush()
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1])
		listener.listen(2)
		open("listens", "w").close()
		first = listener.accept()[0].makefile("rwb")
		say(first, error="no message arrived within 1 second", errno=60)
		second = listener.accept()[0].makefile("rwb")
		second.read(int.from_bytes(second.read(4), "big"))
		say(second, errno=0)
	END
	pid=$!
	cat listens
	is "a client that was turned away before it has asked asks anew" "0:" \
		"$(LD_PRELOAD=$no_time timeout 60 "$DMUSE" resume x --socket "$work/impatient/control" 2>&1; echo "$?:")"
	kill $pid 2>/dev/null
	wait $pid
}
no_time=${DMUSE%/*}/tests/programs/no_time.so
if LC_ALL=C grep -qa __asan_init "$DMUSE"; then
	skip "a client that was turned away" "a sanitizer has to be loaded first"
else
	impatient
fi

if command -v systemd-socket-activate >/dev/null; then
	mkdir act
	systemd-socket-activate -l "$work/act/control" "$DMUSE" daemon --foreground --nbd-socket none 2>act/log &
	pid=$!
	until_true grep -q "Listening on" act/log
	"$DMUSE" create x -n --socket "$work/act/control"
	run version --json --socket "$work/act/control"
	is "a daemon that was handed its socket is told as itself, not as its keeper" "$pid" "$(keeper_of "$(json 'd["pid"]')")"
	"$DMUSE" shutdown --socket "$work/act/control"
	wait $pid
else
	skip "a daemon that was handed its socket" "there is no systemd-socket-activate"
fi

# --- a stranger's daemon ----------------------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
	skip "a stranger's socket" "this takes root"
	plan
	exit
fi
# What a listener on socket $1, running as user 65534, received until it is ended, in a file; its pid in $listener.
cat >listener <<'P'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
out = open(sys.argv[2], "wb", buffering=0)
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
os.chown(os.path.dirname(sys.argv[1]), 65534, 65534)
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
s.listen()
print("listening", flush=True)
while True:
    c, _ = s.accept()
    while data := c.recv(4096):
        out.write(data)
        if len(data) > 4:   # more than only the length
            break
    c.close()
P
chmod 0711 "$work"
theirs=$work/theirs/control
coproc L { exec python3 listener "$theirs" told; }
listener=$L_PID
read -r _ <&"${L[0]}"
for c in ls "info x" "create x -n" "export x" "wait x" "remove x" shutdown version "exec true" "ls --exec true" "mount $work"; do
	# shellcheck disable=SC2086
	refuses "a stranger is asked nothing: $c" "(1|125)" \
		"the daemon on $theirs belongs to user 65534, not to user 0 or root.*--owner 65534" --socket "$theirs" $c
done
DMUSE_SOCKET=$theirs refuses "nor by DMUSE_SOCKET" 1 "belongs to user 65534" create x -n
out=$(python3 "$root/doc/example-client.py" "$theirs" 2>&1)
is "nor by the example in Python" "1:the daemon on $theirs is user 65534's" "$?:$out"
mkdir -m 0700 xdg
chown 65534 xdg
XDG_RUNTIME_DIR=$work/xdg refuses "root with another user's XDG_RUNTIME_DIR" 1 \
	"XDG_RUNTIME_DIR $work/xdg belongs to user 65534, not to user 0" create x -n
ok "makes nothing there" [ ! -e xdg/dmuse ]
is "the stranger was told nothing in all that" "" "$(cat told)"
run --socket "$theirs" --owner nobody ls
like "who names him speaks to him" "^1:.*(closed the connection|reset by peer)" "$status:$err"
ok "and then he hears it" grep -q names told
refuses "--owner is a user" 1 "not a user name or number" --socket "$theirs" --owner 12x ls
kill "$listener"
wait "$listener" 2>/dev/null

# A user without a directory of his own in /run finds another user's socket in /tmp.
if unshare -m true 2>/dev/null; then
	open=$(mktemp -d /var/tmp/dmuse-other-XXXXXX)
	chmod 0755 "$open"
	install -m 0755 "$DMUSE" "$open/dmuse"
	cp listener "$open"
	cat >fallback <<T
mount -t tmpfs t /run && mount -t tmpfs -o mode=1777 t /tmp
coproc L { exec python3 "$open/listener" /tmp/dmuse-65533/control "$open/told"; }
read -r _ <&"\${L[0]}"
env -u XDG_RUNTIME_DIR setpriv --reuid 65533 --regid 65533 --clear-groups "$open/dmuse" create x -n 2>&1
echo "status \$?"
kill \$L_PID
T
	out=$(unshare -m bash fallback 2>/dev/null)
	like "a stranger in /tmp/dmuse-UID is not asked" "the daemon on /tmp/dmuse-65533/control belongs to user 65534" "$out"
	like "and nothing is created" "^status 1$" "$out"
	is "he was told nothing" "" "$(cat "$open/told")"
	rm -r "$open"
else
	skip "a stranger in /tmp/dmuse-UID" "this takes a mount namespace"
fi
plan
