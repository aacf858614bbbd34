#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The directory of --state: how it is made, and what is refused with a sentence and left as it was.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1

mode() { stat -c %a "$1"; }

# same WHAT: the file of the state is as it was.
same() { ok "$1, and is left as it was" cmp -s state/state copy; }

works "--state DIR" daemon --state state
is "the directory is made for its owner only" 700 "$(mode state)"
is "so is the file" 600 "$(mode state/state)"
refuses "a second daemon with the same state is refused" 1 \
	"$work/state/state is used by another daemon \(pid [0-9]+\): stop that one first, or choose another directory" \
	daemon --state state --socket "$work/second"
pid=${err#*pid }
pid=${pid%%)*}
is "and told the first one's pid" "$work/state/state" "$(find "/proc/$pid/fd" -lname '*/state/state' -printf '%l\n')"
prints "the first one still answers" "No devices found" ls
works "its end" shutdown
ok "leaves the state there" [ -f state/state ]
cp state/state copy
works "the next daemon has it" daemon --state state
works "and ends" shutdown
refuses "--state and --ephemeral contradict each other" 2 "only one of them is possible" daemon --state state --ephemeral

# --- what is no state -----------------------------------------------------------------------------------------------
cp state/state good
echo 'not a state at all' >state/state
cp state/state copy
refuses "a file that is something else is refused" 1 "$work/state/state is not a file in which dmuse keeps its state" daemon --state state
same "it"
head -c 100 good >state/state
cp state/state copy
refuses "so is one that was cut off" 1 "$work/state/state is damaged at byte" daemon --state state
same "it"
: >state/state
cp state/state copy
refuses "and an empty one" 1 "$work/state/state is not a file in which dmuse keeps its state" daemon --state state
same "it"
python3 - <<'P'
import struct

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

data = bytearray(open("good", "rb").read())
data[120:124] = struct.pack("<I", 2)
data[124:128] = struct.pack("<I", crc32c(data[:124]))
open("state/state", "wb").write(data)
P
cp state/state copy
refuses "one of a newer version is refused" 1 "was written by a newer dmuse: it is in version 2 of the format, and this program reads version 1" \
	daemon --state state
same "it"
rm state/state
mkdir state/state
refuses "a directory in its place" 1 "$work/state/state is not a regular file" daemon --state state
rmdir state/state
mkfifo state/state
refuses "a fifo" 1 "$work/state/state is not a regular file" daemon --state state
rm state/state
ln -s ../good state/state
refuses "a symbolic link" 1 "$work/state/state is a symbolic link" daemon --state state
rm state/state

# --- the directory --------------------------------------------------------------------------------------------------
refuses "a file instead of the directory" 1 "--state $work/good: is not a directory" daemon --state good
refuses "a directory whose parent is missing" 1 "--state $work/no/state: cannot create the directory: No such file" daemon --state no/state
chmod 0770 state
refuses "a directory where others may write" 1 "other users can write to the directory" daemon --state state
chmod 0700 state
if [ "$(id -u)" = 0 ]; then
	chown 1234 state
	refuses "another user's directory" 1 "--state $work/state: the directory belongs to user 1234, not to user 0" daemon --state state
	chown 0 state
	cp good state/state
	chown 1234 state/state
	refuses "another user's file" 1 "$work/state/state is another user's" daemon --state state
	chown 0 state/state
else
	skip "another user's directory and file" "needs root"
fi

# --- a disk that cannot be written ----------------------------------------------------------------------------------
# A shell's limit on the size of files is the daemon's, too.
devices() { "$DMUSE" info -c --noheadings -o name | sort; }
table=$(seq 0 8 15992 | sed 's/$/ 8 zero/')
ok "under ulimit -f" bash -c "ulimit -f 300; exec '$DMUSE' daemon --state small"
for i in {1..40}; do
	run create "t$i" --table "$table"
	[ "$status" = 0 ] || break
done
like "what does not fit is refused" "create t$i: the change cannot be recorded in $work/small/state: File too large" "$err"
is "and was not made" "$(for ((k = 1; k < i; k++)); do echo "t$k"; done | sort)" "$(devices)"
works "what needs less space is made" remove t1
was=$(devices)
works "the end" shutdown
run daemon --state small
like "the next daemon says how many devices are back" "[0-9]+ devices of an earlier daemon are back" "$err"
is "and has those that were there" "$was" "$(devices)"
"$DMUSE" shutdown

# In a mount namespace of its own: prints what dmuse says, after COMMANDS have prepared the tmpfs m.
on_tmpfs() {
	mkdir -p m
	unshare -m sh -c "mount -t tmpfs -o size=$1 none m && $2; '$DMUSE' daemon --state m/state 2>&1; '$DMUSE' shutdown >/dev/null 2>&1; ls m/state" 2>&1
}
if [ "$(id -u)" = 0 ] && unshare -m true; then
	like "a full disk" "cannot create $work/m/state/state: No space left on device" \
		"$(on_tmpfs 64k 'mkdir -m 0700 m/state; head -c 64k /dev/zero >m/fill 2>/dev/null')"
	is "leaves nothing there" "" "$(on_tmpfs 64k 'mkdir -m 0700 m/state; head -c 64k /dev/zero >m/fill 2>/dev/null' | grep -v dmuse)"
	like "a read-only one with a state" "cannot open $work/m/state/state: Read-only file system" \
		"$(on_tmpfs 1m 'mkdir -m 0700 m/state; cp good m/state/state; mount -o remount,ro m')"
	like "a read-only one without" "Read-only file system" "$(on_tmpfs 1m 'mkdir -m 0700 m/state; mount -o remount,ro m')"
else
	skip "a full disk, and a read-only one" "needs root"
fi
plan
