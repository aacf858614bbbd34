#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every bad table gets one sentence with line, word and reason; the slots do not change and the daemon stays up.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1

truncate -s 1M disk.img		# 2048 sectors
truncate -s 1000 odd.img
mkdir directory
"$DMUSE" daemon
"$DMUSE" create keep --table '0 100 linear disk.img 0'
"$DMUSE" load keep --table '0 200 linear disk.img 0'
live=$("$DMUSE" table keep)
inactive=$("$DMUSE" table --inactive keep)

n=0
# bad WHAT REGEXP TABLE: create, load and check refuse it with the same sentence.
bad() {
	n=$((n + 1))
	refuses "$1: create" 1 "dmuse: create x$n: $2" create "x$n" --table "$3"
	is "one sentence on one line" 1 "$(wc -l <"$work/stderr")"
	refuses "$1: load" 1 "dmuse: load keep: $2" load keep --table "$3"
	refuses "$1: check" 1 "dmuse: check: $2" check --table "$3"
	is "$1: nothing was created, both slots are as they were" "keep:$live:$inactive" \
		"$("$DMUSE" info -c --noheadings -o name):$("$DMUSE" table keep):$("$DMUSE" table --inactive keep)"
}

bad "a number with a letter behind it" "table line 1: .*word 2 <offset>: '38x' is not a number" '0 100 linear disk.img 38x'
bad "an unknown target" "table line 1: .*nonsense" '0 100 nonsense'
bad "an unknown target in line 2" "table line 2: .*nonsense" $'0 100 zero\n100 100 nonsense a b'
bad "a device that is missing" "table line 1: .*word 1 <device>: 'nofile' is neither a file nor a mapped device" '0 100 linear nofile 0'
bad "a directory in a device's place" "table line 1: .*word 1 <device>: .*directory" '0 100 linear directory 0'
bad "a device that is too small" "table line 1: .*disk.img.*2048" '0 2049 linear disk.img 0'
bad "an offset behind the end" "table line 1: .*disk.img" '0 1 linear disk.img 2048'
bad "an offset that wraps around" "table line 1: .*2048 sectors \(no device has that many\)" '0 100 linear disk.img 18446744073709551615'
bad "an offset far behind the end" "table line 1: .*disk.img' has 2048 sectors \(18446744073709549567 sectors are missing\)" '0 1 linear disk.img 18446744073709551614'
bad "a number over 64 bits" "table line 1: .*18446744073709551616" '0 100 linear disk.img 18446744073709551616'
bad "a negative number" "table line 1: .*'-1'" '0 100 linear disk.img -1'
bad "a table that does not start at 0" "table line 1: .*0" '1 100 zero'
bad "a gap" "table line 2: .*gap" $'0 100 zero\n101 100 zero'
bad "an overlap" "table line 2: .*overlap" $'0 100 zero\n99 100 zero'
bad "a length of 0" "table line 1: .*length" '0 0 zero'
bad "a length that wraps around" "table line 2: " $'0 100 zero\n100 18446744073709551615 zero'
bad "a length that is no number" "table line 1: .*'10x'" '0 10x zero'
bad "a unit that there is not" "table line 1: .*'1x'" '0 1K linear disk.img 1x'
bad "a line without a target" "table line 1: " '0 100'
bad "a word too few" "table line 1: .*<offset>" '0 100 linear disk.img'
bad "a word too many" "table line 1: .*'more'" '0 100 linear disk.img 0 more'
bad "an open quote" "table line 1: .*quote" "0 100 linear 'disk.img 0"
bad "an open quote: the rest of the line as it was" "table line 1: .*quote.*in: disk.img 0 $" '0 100 linear disk.img" 0'
bad "stripes that do not divide the length" "table line 1: striped" '0 100 striped 3 8 disk.img 0 disk.img 100 disk.img 200'
bad "a chunk that does not divide the stripe" "table line 1: striped" '0 100 striped 2 8 disk.img 0 disk.img 100'
bad "too few stripes" "table line 1: striped.*" '0 128 striped 2 16 disk.img 0'
bad "the third of many lines, behind comments" "table line 5: " $'# one\n\n0 10 zero\n10 10 zero\n20 10 linear disk.img x'

refuses "a device on itself" 1 "load keep: table line 1: .*keep" load keep --table '0 100 linear /dev/mapper/keep 0'
works "a device on it" create upper --table '0 100 linear /dev/mapper/keep 0'
refuses "a device on itself through another" 1 "load keep: table line 1: .*keep" load keep --table '0 100 linear /dev/mapper/upper 0'
works "that one goes" remove upper
is "and still the slots are as they were" "$live:$inactive" "$("$DMUSE" table keep):$("$DMUSE" table --inactive keep)"
refuses "a file with a NUL" 1 "standard input is not text: byte 4 is a NUL" create x < <(printf '0 10\0zero')
refuses "a very long name" 1 "create (x{128}|x{200})" create "$(printf 'x%.0s' {1..200})" -n
refuses "an empty name" 1 "create" create "" -n
refuses "a name that is all blanks and slashes" 1 "create" create "a/b" -n

refuses "a name of two lines" 1 "byte 2 of the name is a control character \(0x0a\)" create $'a\nb' -n
refuses "a new name with a tab" 1 "byte 2 of the name is a control character \(0x09\)" rename keep $'a\tb'
refuses "a uuid of two lines" 1 "byte 2 of the uuid is a control character \(0x0a\)" create x -n -u $'a\nb'

garbage() { python3 - "$XDG_RUNTIME_DIR/dmuse/control" "$1" <<'P'
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
data = {"noise": bytes(range(256)) * 64, "huge": struct.pack(">I", 0xffffffff), "short": struct.pack(">I", 100) + b"<?xml",
        "bad": struct.pack(">I", 7) + b"<plist>", "nothing": b""}[sys.argv[2]]
try:
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    while s.recv(4096):
        pass
except (BrokenPipeError, ConnectionResetError):
    pass
P
}
for g in noise huge short bad nothing; do
	ok "the daemon lives on after a client that sends: $g" garbage "$g"
	prints "and answers" keep info -c --noheadings -o name
done
works "shutdown" shutdown
plan
