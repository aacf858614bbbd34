#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse shutdown lists those whom it cuts off: NBD clients over either kind of socket, programs with a file open,
# programs in a session.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1 TMPDIR=$work
truncate -s 8M disk.img

# A process that has the device of an address open until its stdin ends; prints a line when it has.
cat >client <<'P'
import sys, nbd
h = nbd.NBD()
h.connect_uri(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
P

end_client() {
	kill "$a"
	wait "$a" 2>/dev/null
}

if python3 -c 'import nbd' 2>/dev/null; then
	"$DMUSE" daemon --nbd-tcp 127.0.0.1:0
	"$DMUSE" create vd --table '0 2048 linear disk.img 0'
	"$DMUSE" create other --table '0 2048 zero'
	coproc A { exec python3 client "$("$DMUSE" export vd)"; }
	a=$A_PID
	read -r _ <&"${A[0]}"
	run shutdown
	is "a client of the Unix socket is named with what it has open" \
		"0:warning: cut off: python3 (process $a) has 'vd' open over NBD" "$status:$err"
	end_client

	"$DMUSE" daemon --nbd-tcp 127.0.0.1:0
	"$DMUSE" create vd --table '0 2048 linear disk.img 0'
	coproc A { exec python3 client "$("$DMUSE" export --all vd | grep -v unix)"; }
	a=$A_PID
	read -r _ <&"${A[0]}"
	"$DMUSE" rename vd new
	run shutdown --json
	like "one of TCP by its address, as JSON, by the name of now" \
		"\"cut_off\": \[[^]]*a client \(127.0.0.1 port [0-9]+\) has 'new' open over NBD" "$(tr '\n' ' ' <<<"$out")"
	end_client

	"$DMUSE" daemon
	"$DMUSE" create vd --table '0 2048 linear disk.img 0'
	coproc A { exec python3 client "$("$DMUSE" export vd)"; }
	a=$A_PID
	read -r _ <&"${A[0]}"

	end_client
	works "one that has gone is not named" shutdown
else
	skip "NBD clients" "there is no Python module nbd"
fi

"$DMUSE" daemon
"$DMUSE" create vd --table '0 2048 linear disk.img 0'
mkdir files
if "$DMUSE" mount files 2>/dev/null; then
	exec 8<files/vd
	run shutdown
	is "who has a file open is named" "0:warning: cut off: $(cat "/proc/$$/comm") (process $$) has the file 'vd' open in $work/files" \
		"$status:$err"
	exec 8<&-
else
	skip "who has a file open" "nothing can be mounted here"
	"$DMUSE" shutdown
fi

if "$DMUSE" doctor >/dev/null 2>&1; then
	"$DMUSE" daemon
	"$DMUSE" create vd --table '0 2048 linear disk.img 0'
	mkfifo ready go
	"$DMUSE" exec sh -c 'echo $$ >ready; exec cat go' &
	exec=$!
	read -r _ <ready
	run shutdown
	like "who runs in a session is named" "^0:warning: cut off: (cat|sh) \(process [0-9]+\) runs in a session$" "$status:$err"
	: >go
	wait "$exec"
	"$DMUSE" daemon
	"$DMUSE" exec true
	works "a session in which nobody is left is not" shutdown
else
	skip "who runs in a session" "sessions do not work here"
fi
plan
