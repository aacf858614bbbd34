#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse crash: what a power cut may leave of a workload is found, shrunk, named and played again; as root and as an ordinary user.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# Puts the lines of a command where the workload or the check are to be, and runs dmuse crash on a raw disk.
raw() {
	run crash --raw --size 1M --out crash --settle 0 --jobs 2 --run "$1" --check "$2" "${@:3}"
}

# Four blocks at a time, and a flush behind each four.
blocks='put() { head -c 4096 /dev/zero | tr "\0" "$1" | dd of="$dev" bs=4096 seek="$2" iflag=fullblock conv=notrunc oflag=direct status=none; }
	dev=$1'
# The letter of block N of a state.
block='at() { dd if="$dev" bs=4096 skip="$1" count=1 status=none | head -c 1; }
	dev=$1'

# A header that says that a body is there is written with it, without a flush in between. Block 3 is of no matter.
ordered() {
	raw "$blocks
		put b 1; put h 2; put x 3; sync \"\$dev\"; \$DMUSE mark done" "$block
		[ \"\$(at 2)\" != h ] || [ \"\$(at 1)\" = b ] || { echo 'a header without its body'; exit 1; }
		! grep -qx done \"\$DMUSE_MARKS\" || [ \"\$(at 2)\" = h ] || { echo 'what was promised is lost'; exit 1; }"
	is "$who: a check that failed has its exit status" 3 "$status"
	like "$who: so many states were tried, and so many failed" 'failed +2' "$out"
	like "$who: all states are tried if there are few" 'states: 9 tried' "$out"
	like "$who: of what is lost is said what matters only" 'smallest failing state: 0-1$' "$out"
	like "$who: the write that is missing is named" 'sectors 8 to 15, epoch 0$' "$out"
	like "$who: and what the check printed" '\| a header without its body' "$out"
	like "$who: the command plays it again" "dmuse crash --out '.*/crash' --play 0-1" "$out"
	run crash --out crash --play 0-1
	is "$who: a state is played" 3 "$status"
	like "$who: and the check's words are there" 'a header without its body' "$out"
	local first=$out
	run crash --out crash --play 0-1
	is "$who: what is said of it is the same each time" "$first" "$out"
	run crash --out crash --play 0-all
	is "$who: another one passes" "0:" "$status:$err"
	run crash --out crash --states 0
	is "$who: the recording is tried again" 0 "$status"
	like "$who: without what is between the ends" 'states: 3 tried' "$out"
	run crash --out crash --check false --play 0
	is "$who: with another check" 3 "$status"
}

kept() {
	raw "$blocks
		put b 1; sync \"\$dev\"; put h 2; sync \"\$dev\"; \$DMUSE mark done" "$block
		[ \"\$(at 2)\" != h ] || [ \"\$(at 1)\" = b ]
		! grep -qx done \"\$DMUSE_MARKS\" || [ \"\$(at 2)\" = h ]"
	is "$who: a workload that flushes in between passes" 0 "$status"
}

# The check fails if 1 and 3 are lost, and 5 is not: which is not monotonic.
shrunk() {
	raw "$blocks
		for i in 1 2 3 4 5 6 7 8; do put \$i \$i; done; sync \"\$dev\"" "$block
		[ \"\$(at 1)\" = 1 ] || [ \"\$(at 3)\" = 3 ] || [ \"\$(at 5)\" != 5 ]" --seed 3
	like "$who: only what has to be lost together is left" 'smallest failing state: 0-1,3$' "$out"
}

# A write of four units, of which the second alone is missing.
torn() {
	raw "head -c 16384 /dev/zero | tr '\0' t | dd of=\$1 bs=16384 iflag=fullblock conv=notrunc oflag=direct status=none; sync \$1" "$block
		[ \"\$(at 1)\" = t ] || [ \"\$(at 3)\" != t ]"
	like "$who: a write is torn, and only the units that matter are lost" 'smallest failing state: 0-1\.2$' "$out"
	like "$who: which is said" 'sectors 8 to 15 \(1 of 4 units\)' "$out"
	raw "head -c 16384 /dev/zero | tr '\0' t | dd of=\$1 bs=16384 iflag=fullblock conv=notrunc oflag=direct status=none; sync \$1" "$block
		[ \"\$(at 1)\" = t ] || [ \"\$(at 3)\" != t ]" --atomic 16K
	is "$who: an atomic unit is not torn" 0 "$status"
}

verdicts() {
	raw "$blocks
		put b 1; sync \"\$dev\"" 'kill -SEGV $$' --states 0
	is "$who: a check that crashed has its exit status" 4 "$status"
	like "$who: and is said to" 'ended by signal 11' "$out"
	run crash --out crash --timeout 1 --jobs 2 --check "setsid sleep 86413.$$ & sleep 86413.$$" --play 0
	is "$who: so has one that hung" 4 "$status"
	like "$who: which is told apart" 'did not end in time' "$out"
	ok "$who: and nothing of it is left" until_true eval '! pgrep -f "sleep 86413[.]$$"'
	run crash --out crash --json --check 'seq 100000; exit 1' --play 0
	is "$who: of what a check prints the end is kept" "8192 100000" "$(python3 -c '
import json, sys
said = json.load(sys.stdin)["played"]["output"]
print(len(said), said.split()[-1])' <<<"$out")"
	raw 'exit 5' true
	is "$who: a workload that failed has its own" "7:" "$status:$out"
	like "$who: and is told" 'exited with status 5' "$err"
	refuses "$who: a recording that did not come to its end is none" 1 'did not come to its end' crash --out crash --play 0
	raw true true
	is "$who: and is replaced by the next" 0 "$status"
}

# A guest would do the same: the disk is an NBD export, too. What was written with FUA is durable without a flush.
over_nbd() {
	command -v qemu-io >/dev/null || { skip "$who: over NBD" "there is no qemu-io"; return; }
	raw 'qemu-io -t writeback -f raw -c "write -P 98 4096 4096" -c "write -f -P 102 8192 4096" "$("$DMUSE" export crash)" >/dev/null && $DMUSE mark done' "$block
		! grep -qx done \"\$DMUSE_MARKS\" || [ \"\$(at 2)\" = f ] || { echo 'what was written with FUA is lost'; exit 1; }"
	is "$who: a write with FUA is durable when it is answered" 0 "$status"
	like "$who: power is cut before it, too" ' 2 writes, [23] cuts' "$out"
	run crash --out crash --check "$block
		[ \"\$(at 2)\" != f ] || [ \"\$(at 1)\" = b ]"
	is "$who: another write is not durable because of it" 3 "$status"
}

told() {
	raw "$blocks
		\$DMUSE mark begun; put b 1; sync \"\$dev\"" "$block
		[ \"\$(at 1)\" = b ] || { echo 'a <b> & more'; exit 1; }" --json --junit crash.xml
	is "$who: JSON has the verdicts" "1 1 0-all failed begun" "$(python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["states"]["passed"], r["states"]["failed"], r["smallest"]["state"], r["smallest"]["verdict"], r["smallest"]["lost"][0]["mark"])' <<<"$out")"
	is "$who: JUnit has a test case for each cut whose states are no others'" "testsuite 1 1 0 failure a <b> & more" "$(python3 -c '
import xml.etree.ElementTree as x
s = x.parse("crash.xml").getroot()[0]
f = s.find("testcase/failure")
print(s.tag, s.get("tests"), s.get("failures"), s.get("errors"), f.tag, f.text.splitlines()[0])')"
}

bad() {
	local line
	refuses "$who: a workload is wanted" 2 '--run is missing' crash --check true
	refuses "$who: and a check" 2 '--check is missing' crash --run true
	refuses "$who: a file system is known or not" 1 'known are ext4' crash --run true --check true --fs fat
	refuses "$who: a size has a least" 1 'needs .* MiB' crash --run true --check true --fs xfs --size 64M
	refuses "$who: an atomic unit is a power of two" 1 'power of two' crash --run true --check true --atomic 3K
	mkdir full
	touch full/mine
	refuses "$who: a directory of somebody else is left alone" 1 'neither empty' crash --run true --check true --out full
	raw 'true' true
	refuses "$who: what is no state is told" 1 'is not a state' crash --out crash --play 7
	cp crash/recording whole
	for line in check run mount-options unit; do
		sed "/^$line /d" whole >crash/recording
		refuses "$who: a recording without its line $line is refused" 1 "$line|atomic unit" crash --out crash --play 0
	done
	sed 's/^unit .*/unit 4294967296/' whole >crash/recording
	refuses "$who: so is one whose atomic unit is too large" 1 'atomic unit' crash --out crash --play 0
	refuses "$who: and what is no recording" 1 'no-such' crash --out no-such --play 0
	refuses "$who: a mark needs a log" 1 'no device has' mark x
}

session_test ordered kept shrunk torn over_nbd verdicts told bad
