#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Disks that change while NBD clients are connected: suspended, resumed, with another table, read-only, smaller; and the
# end.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
socket=$XDG_RUNTIME_DIR/dmuse/nbd
uri() { echo "nbd+unix:///$1?socket=$socket"; }
alive() { kill -0 "$1" 2>/dev/null; }

truncate -s 64M a.img b.img
works "a daemon" daemon --io-threads 2
works "a disk" create disk --table '0 131072 linear a.img 0'

# --- suspend and resume under load ----------------------------------------------------------------------------------
# load NAME [OPTION...]: writes, reads and verifies with four jobs of sixteen requests each; its exit status is the result.
load() {
	fio --name=load --ioengine=nbd --uri="$(uri "$1")" --rw=randrw --bs=4k,4k --iodepth=16 --numjobs=4 --size=14M \
		--offset_increment=16M --verify=crc32c --verify_fatal=1 --verify_backlog=256 --fsync=64 --thread \
		--randseed="$RANDOM" --output=fio.out "${@:2}"
}
# Repeated until there were some rounds of what happens meanwhile, however slow the machine is.
loads() {
	until [ -e enough ]; do load "$1" || return; done
}
count_round() {
	rounds=$((rounds + 1))
	[ $rounds -lt 4 ] || touch enough
}

loads disk &
pid=$!
rounds=0 failed=0
while alive $pid; do
	"$DMUSE" suspend disk && "$DMUSE" resume disk || failed=$((failed + 1))
	count_round
done
wait $pid
is "fio finds what it wrote, though the disk is suspended again and again" 0 $? || cat fio.out
ok "and no suspend or resume failed in $rounds rounds" [ $failed = 0 ]
ok "which were some" [ $rounds -ge 4 ]
rm enough

# --- other tables under load ----------------------------------------------------------------------------------------
# The same places through other tables: one line, many lines, a device below.
works "the same disk from below" create below --table '0 131072 linear a.img 0'
tables=('0 131072 linear a.img 0'
	"$(for ((i = 0; i < 131072; i += 512)); do echo "$i 512 linear a.img $i"; done)"
	'0 131072 linear below 0'
	$'0 1000 linear a.img 0\n1000 64000 linear below 1000\n65000 66072 linear a.img 65000')
loads disk &
pid=$!
rounds=0 failed=0
while alive $pid; do
	"$DMUSE" load disk --table "${tables[rounds % 4]}" && "$DMUSE" resume disk || failed=$((failed + 1))
	count_round
done
wait $pid
is "fio finds what it wrote, though the table is swapped again and again" 0 $? || cat fio.out
ok "and no load or resume failed in $rounds rounds" [ $failed = 0 ]
ok "which were some" [ $rounds -ge 4 ]
rm enough

dd if=/dev/urandom of=a.img bs=1M count=64 conv=notrunc status=none
(for i in 1 2 3; do nbdcopy --requests=32 --connections=4 "$(uri disk)" "copy$i.img" || exit 1; done) &
pid=$!
rounds=0
while alive $pid; do
	"$DMUSE" load disk --table "${tables[rounds % 4]}" && "$DMUSE" resume disk
	rounds=$((rounds + 1))
done
wait $pid
is "nbdcopy reads three times meanwhile" 0 $?
for i in 1 2 3; do ok "copy $i is right" cmp a.img copy$i.img; done

# --- one client that stays ------------------------------------------------------------------------------------------
# Sends lines of Python and prints their output; errors are printed as numbers.
coproc CLIENT { nbdsh -u "$(uri disk)" -c '
import sys
def attempt(f):
    try: return f()
    except nbd.Error as e: return e.errnum
for line in sys.stdin:
    print(eval(line), flush=True)' 2>&1; }
in=${CLIENT[1]} from=${CLIENT[0]} client=$CLIENT_PID
tell() { echo "$1" >&"$in"; }
hear() { read -r -t 60 -u "$from" line; echo "$line"; }
talk() { tell "$1"; hear; }

is "a client is there" 67108864 "$(talk 'h.get_size()')"
works "the disk is suspended" suspend disk
tell 'attempt(lambda: h.pread(512, 0) == open("b.img", "rb").read(512))'
works "another disk is put beneath it" load disk --table '0 131072 linear b.img 0'
run info -c --noheadings -o suspended disk
like "the client waits" "[Ss]uspended" "$out"
works "and resumed" resume disk
is "the client's read gets its answer, from the new one" True "$(hear)"
is "it writes" None "$(talk 'h.pwrite(b"n" * 512, 1024)')"
is "to the new one" nnnn "$(tail -c +1025 b.img | head -c 4)"

"$DMUSE" load -r disk --table '0 131072 linear b.img 0' && "$DMUSE" resume disk
is "read-only from below: EPERM" 1 "$(talk 'attempt(lambda: h.pwrite(bytes(512), 0))')"
is "reads go on" 512 "$(talk 'attempt(lambda: len(h.pread(512, 0)))')"
works "a smaller table" load disk --table '0 2048 linear b.img 0'
works "is the disk now" resume disk
ok "behind its end: an error" [ "$(talk 'attempt(lambda: h.pread(512, 2 << 20))')" != None ]
is "before it: fine" 512 "$(talk 'attempt(lambda: len(h.pread(512, 0)))')"
works "it grows again" load disk --table '0 131072 linear b.img 0'
works "and" resume disk
is "behind the end that was: fine" 512 "$(talk 'attempt(lambda: len(h.pread(512, 2 << 20)))')"

# --- the end --------------------------------------------------------------------------------------------------------
works "the disk is suspended" suspend disk
tell 'attempt(lambda: h.pread(512, 0))'
tell 'attempt(lambda: h.pread(512, 0))'
run info -c --noheadings -o open disk
is "the client has it open" 1 "$out"
run shutdown
like "shutdown does not wait for ever, and says who had it open" "^0:warning: cut off: python3 .*has 'disk' open over NBD$" "$status:$err"
like "the client's request failed" "^(108|107|104|32|5|22)$" "$(hear)"
eval "exec $in>&-"
wait "$client"

works "another daemon" daemon
works "a disk" create disk --table '0 131072 linear a.img 0'
# One run, which the end of the daemon ends: between two of them nobody would have the disk open.
load disk --time_based --runtime=600 >fio.log 2>&1 &
pid=$!
# Its first connection only asks for the size, and ends.
until_true eval '"$DMUSE" stats disk | grep -Eq "^ +(read|write) +[1-9]"'
run shutdown
like "shutdown under load ends the daemon, and says who had it open" "^0:warning: cut off: fio .*has 'disk' open over NBD$" "$status:$err"
wait $pid
ok "and the load's clients notice" [ $? != 0 ]
plan
