# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For tests of the program, to be sourced: creates a directory in $work, and has functions that state in TAP what is
# expected.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DMUSE=${DMUSE:-$root/build/dmuse}
[ -x "$DMUSE" ] || { echo "Bail out! there is no program $DMUSE"; exit 1; }
# A directory that other users can access.
# shellcheck disable=SC2034
outside=${TMPDIR:-/tmp}
work=${TAP_WORK:-$(mktemp -d)}
export XDG_RUNTIME_DIR=$work/run
unset DMUSE_SOCKET DMUSE_NO_START NOTIFY_SOCKET FDSTORE LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
[ -d "$work" ] || { echo "Bail out! there is no directory to work in"; exit 1; }
mkdir -p "$XDG_RUNTIME_DIR"
chmod 0700 "$XDG_RUNTIME_DIR"
tap=0

# Every daemon that a test started on a socket below $work is told to end; then the directory is removed.
tap_end() {
	local socket
	cd / || return
	for socket in "$work"/*/*/control "$work"/*/control "$work"/control; do
		[ ! -S "$socket" ] || "$DMUSE" shutdown --socket "$socket" >/dev/null 2>&1
	done
	rm -rf "$work"
}
trap tap_end EXIT

# until_true COMMAND...: waits until it succeeds; fails after a minute, so that a busy machine alone is no failure.
until_true() {
	local end=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}

# keeper_of DAEMON: the process that starts it again when it is killed; nothing if nobody does.
keeper_of() {
	local parent
	parent=$(awk '{ print $4 }' "/proc/$1/stat")
	[ "$(cat "/proc/$parent/comm")" != dmuse-keeper ] || echo "$parent"
}

# ended PID: it has no thread any more, so its descriptors are closed. It may not have been waited for yet.
ended() { [ ! -e "/proc/$1" ] || { [[ $(cat "/proc/$1/stat") == *") Z "* ]] && [ "$(ls "/proc/$1/task")" = "$1" ]; }; }

# kill_for_good DAEMON: kills it and its keeper, so that nobody starts it again; returns when both are gone.
kill_for_good() {
	local keeper
	keeper=$(keeper_of "$1")
	# shellcheck disable=SC2086 # there may be none
	kill -9 $keeper "$1"
	until_true ended "$1" && until_true ended "${keeper:-$1}"
}

# ok WHAT COMMAND...: the command succeeds.
ok() {
	tap=$((tap + 1))
	if "${@:2}"; then
		echo "ok $tap - $1"
	else
		echo "not ok $tap - $1"
		echo "#   failed: ${*:2}"
		return 1
	fi
}

# is WHAT WANTED GOT
is() {
	tap=$((tap + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tap - $1"
	else
		echo "not ok $tap - $1"
		diff <(echo "$2") <(echo "$3") | sed 's/^/#   /'
	fi
}

# like WHAT REGEXP GOT: an extended regular expression that matches somewhere.
like() {
	tap=$((tap + 1))
	if grep -Eq -- "$2" <<<"$3"; then
		echo "ok $tap - $1"
	else
		echo "not ok $tap - $1"
		echo "#   wanted: $2"
		sed 's/^/#   got: /' <<<"$3"
	fi
}

skip() {
	tap=$((tap + 1))
	echo "ok $tap - $1 # SKIP $2"
}

# run WORDS...: dmuse with these words; sets $out, $err and $status.
run() {
	"$DMUSE" "$@" >"$work/stdout" 2>"$work/stderr"
	status=$?
	out=$(cat "$work/stdout")
	err=$(cat "$work/stderr")
}

# works WHAT WORDS...: exits with 0 and prints nothing on stderr.
works() {
	run "${@:2}"
	is "$1" "0:" "$status:$err"
}

# prints WHAT WANTED WORDS...: exits with 0 and prints exactly this.
prints() {
	run "${@:3}"
	is "$1" "0:$2" "$status:$out"
}

# refuses WHAT STATUS REGEXP WORDS...: exits with this status; its stderr matches.
refuses() {
	run "${@:4}"
	like "$1" "^$2:.*($3)" "$status:$(tr '\n' ' ' <<<"$err")"
}

plan() {
	echo "1..$tap"
}
