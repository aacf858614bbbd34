#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse crash on file systems: the examples find what they should; damage that is not the program's is told apart. Root mounts by
# the kernel, an ordinary user with fuse2fs.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

lacks_mount() {
	[ -e /dev/loop-control ] || { echo "there are no loop devices"; return; }
	grep -qw ext4 /proc/filesystems || { echo "the kernel has no ext4"; return; }
}

# replace [sync]: the example that does not sync its new text. The sync of its log commits the name: that does not depend on the
# time, and leaves no other program's sync() a moment to write the text.
replace() {
	run crash --size 16M --out crash --states 50 --mount-options noauto_da_alloc --settle 0 \
		--run "$root/examples/rename/run.py $1" --check "$root/examples/rename/check.sh"
}

rename_example() {
	replace ""
	is "$who: a rename without fsync loses both texts" 3 "$status"
	like "$who: which shows after the commit" 'neither the old text nor the new' "$out"
	like "$who: the write that is missing is named" ': /settings$' "$out"
	run crash --out crash --play "$(sed -n 's/.*--play //p' <<<"$out")"
	is "$who: it is played again" 3 "$status"
	replace sync
	is "$who: with fsync nothing is lost" 0 "$status"
}

sqlite() {
	run crash --size 16M --out crash --settle 0 --states "$3" --run "$root/examples/sqlite/run.py $1 $2 3" --check "$root/examples/sqlite/check.py"
}

sqlite_example() {
	python3 -c 'import sqlite3' 2>/dev/null || { skip "SQLite" "Python has no sqlite3"; return; }
	sqlite WAL FULL 20
	is "$who: SQLite with a WAL loses nothing" 0 "$status"
	sqlite DELETE FULL 0
	is "$who: without the directory's sync it loses a commit" 3 "$status"
	like "$who: the last one" 'row [0-9] was committed, and the last one is' "$out"
}

damage() {
	run crash --size 16M --out crash --settle 0 --states 0 --check true --run 'echo a >a; sync -f .
		dd if=/dev/zero of=/dev/mapper/crash bs=1k seek=1 count=1 oflag=direct,dsync status=none'
	is "$who: a file system that does not mount has its own exit status" 5 "$status"
	like "$who: and is told" 'the file system does not mount' "$out"
	# What a journal has it restores: a directory that was not written to lately.
	run crash --size 16M --out crash --settle 0 --states 0 --check false --run 'echo a >a; sync -f .
		at=$(debugfs -R "blocks /lost+found" /dev/mapper/crash 2>/dev/null)
		dd if=/dev/zero of=/dev/mapper/crash bs=1k seek="${at%% *}" count=1 oflag=direct,dsync status=none'
	like "$who: so has one that is damaged" 'fsck +[1-9]' "$out"
	mkdir bin
	printf '#!/bin/sh\nexit 127\n' >bin/e2fsck
	chmod +x bin/e2fsck
	PATH=$PWD/bin:$PATH run crash --out crash --check false
	is "$who: a checker that is not there finds no damage" 1 "$status"
	like "$who: but is missed" 'cannot run e2fsck' "$err"
}

# What stays of a workload in the background is there when power is cut, and ended then.
background() {
	run crash --size 16M --out crash --settle 3 --states 0 --check 'grep -q later file' \
		--run '(while kill -0 $$; do sleep 0.02; done; echo later >file; sync file) </dev/null >/dev/null 2>&1 &'
	like "$who: the cut is taken from what goes on in the background" 'passed +[1-9]' "$out"
}

# What the kernel has in the journal only, fuse2fs shows, too.
journal_in_user_space() {
	command -v fuse2fs >/dev/null || { skip "$who: a journal in user space" "there is no fuse2fs"; return; }
	local check='! grep -qx a "$DMUSE_MARKS" || grep -qx a a'
	run crash --size 16M --out crash --settle 0 --states 20 --run 'echo a >a; sync a; sync .; $DMUSE mark a; echo b >b; sync b' --check "$check"
	is "$who: a file that was synced is there" 0 "$status"
	run crash --out crash --fuse --states 20
	is "$who: and in user space" 0 "$status"
}

killed() {
	local pid name=dmuse-check-of-$$	# another test may have one, too
	setsid "$DMUSE" crash --size 16M --out crash --settle 0 --run 'echo a >a; sync a' \
		--check "bash -c 'exec -a $name sleep 86414' & wait" --states 0 >log 2>&1 &
	pid=$!
	until_true pgrep -f "^$name "
	kill -9 $pid
	wait $pid 2>/dev/null
	ok "$who: nothing is left when it is killed" until_true eval '! pgrep -f "^$name " >/dev/null && [ -z "$(session_traces)" ]'
}

# The daemon's own journal, through a new log.
state_journal() {
	local writer
	writer=$(dirname "$DMUSE")/tests/crash/journal_writer
	run crash --size 16M --out crash --settle 0 --points 12 --states 12 --run "$writer run 8" --check "$writer check"
	is "$who: no transaction of the daemon's journal that was durable is lost or torn" "0:" "$status:$err"
}

# As an ordinary user has it: without the directories of mkfs and fsck.
short_path() {
	tr : '\n' <<<"$PATH" | grep -v 'sbin$' | paste -sd :
}

in_user_space() {
	command -v fuse2fs >/dev/null || { skip "$who: in user space" "there is no fuse2fs"; return; }
	PATH=$(short_path) run crash --fuse --size 16M --out crash --settle 0 --states 20 --run 'echo a >a; sync a; $DMUSE mark a' \
		--check '! grep -qx a "$DMUSE_MARKS" || grep -qx a a'
	like "$who: fuse2fs under the workload is said first" '^note: the workload ran on fuse2fs' "$(head -n 1 <<<"$out")"
	like "$who: and the states are tried" 'tried in' "$out"
	run crash --fuse --size 16M --out crash --mkfs-options '-O nonsense' --run true --check true
	like "$who: why mkfs fails is said in a line" 'ext4: mkfs failed: .*nonsense$' "$err"
}

functions=(in_user_space)
lack=$(lacks_mount)
if [ "$(id -u)" = 0 ] && [ -z "$lack" ]; then
	functions=(rename_example sqlite_example damage background state_journal journal_in_user_space killed in_user_space)
fi
session_test "${functions[@]}"
