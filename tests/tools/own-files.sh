#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What others may have put where the daemon has its files: it does not wait for, follow, write to or remove any of it.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1

n=0
# in_place FILE WHAT REGEXP COMMAND...: with what COMMAND creates (its last word is the path) in place of FILE, no
# daemon starts, and it is not changed.
in_place() {
	local dir file before
	n=$((n + 1))
	dir=$work/d$n
	file=$dir/$1
	mkdir -m 0700 "$dir"
	"${@:4}" "$file"
	before=$(look "$file")
	for how in daemon "create x -n"; do
		[ "$1:$how" != "control.start:daemon" ] || continue
		# shellcheck disable=SC2086
		out=$(timeout 60 "$DMUSE" $how --socket "$dir/control" 2>&1 </dev/null)
		like "$1 $2: $how is refused" "^1:.*$3" "$?:$out"
	done
	is "$1 $2: it is left alone" "$before" "$(look "$file")"
	ok "$1 $2: no daemon runs" [ ! -S "$dir/control" ] || "$DMUSE" shutdown --socket "$dir/control"
}
look() { stat -c '%F %u %a %h %N' "$1"; [ ! -f "$1" ] || cat "$1"; }

echo precious >precious
link() { ln -s "$work/precious" "$1"; }
hard() { ln "$work/precious" "$1"; }
foreign() { echo theirs >"$1" && chmod 0666 "$1" && chown 65534 "$1"; }
make_device() { mknod "$1" c 1 3; }
foreign_fifo() { mkfifo -m 0666 "$1" && chown 65534 "$1"; }
for f in log control.lock control.start; do
	in_place "$f" "is a fifo" "/$f is not a regular file" mkfifo
	in_place "$f" "is a symbolic link" "/$f is a symbolic link" link
	in_place "$f" "is a dangling symbolic link" "/$f is a symbolic link" ln -s "$work/nowhere"
	in_place "$f" "is another name of a file" "/$f is a file with more than one link" hard
	in_place "$f" "is a directory" "/$f is not a regular file" mkdir
	if [ "$(id -u)" = 0 ]; then
		in_place "$f" "is another user's" "/$f is another user's" foreign
		in_place "$f" "is another user's fifo" "/$f is not a regular file" foreign_fifo
		in_place "$f" "is a device" "/$f is not a regular file" make_device
	fi
done
is "the file behind the links is as it was" precious "$(cat precious)"
ok "and nothing was made behind a dangling one" [ ! -e nowhere ]

# --- sockets --------------------------------------------------------------------------------------------------------
dead() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }
foreign_dead() { dead "$1" && chown 65534 "$1"; }
mkdir -m 0700 dead
dead "$work/dead/control"
dead "$work/dead/nbd"
works "dead sockets of our own are replaced" daemon --socket "$work/dead/control"
"$DMUSE" shutdown --socket "$work/dead/control"
if [ "$(id -u)" = 0 ]; then
	mkdir -m 0700 theirs
	foreign_dead "$work/theirs/nbd"
	refuses "a dead NBD socket of another user is not" 1 "theirs/nbd' is the socket of user 65534" daemon --socket "$work/theirs/control"
	rm theirs/nbd
	foreign_dead "$work/theirs/control"
	refuses "nor a dead control socket" 1 "theirs/control' is the socket of user 65534" daemon --socket "$work/theirs/control"
	ok "it is still there" [ -S theirs/control ]
	rm theirs/control
else
	skip "sockets of another user" "this takes root"
fi

# --- locks ----------------------------------------------------------------------------------------------------------
# Whoever may read a directory may lock it, forever.
mkdir -m 0755 seen
exec 8<seen
flock 8
works "a lock on the directory stops nobody" daemon --socket "$work/seen/control"
"$DMUSE" shutdown --socket "$work/seen/control"
run create x -n --socket "$work/seen/control"
like "nor who needs a daemon" "^0:dmuse: started a daemon" "$status:$err"
is "locks do not stay behind" "control control.lock log nbd state" "$(cd seen && echo *)"
"$DMUSE" shutdown --socket "$work/seen/control"
is "and at the end only the log does" "log" "$(cd seen && echo *)"

# --- the log --------------------------------------------------------------------------------------------------------
is "its mode" 600 "$(stat -c %a seen/log)"
is "it has both daemons" 2 "$(grep -c serving seen/log)"
truncate -s 2M seen/log
works "one that has grown large" daemon --socket "$work/seen/control"
"$DMUSE" shutdown --socket "$work/seen/control"
is "begins anew" 1 "$(grep -c '' seen/log)"
plan
