#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A disk fails: what is logged, and what is shown with the device's state.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1

truncate -s 1M disk.img
works "a daemon" daemon
works "a device" create vd --table '0 1024 linear disk.img 384'
truncate -s 64K disk.img
uri=$("$DMUSE" export vd)
ok "300 reads and a write fail" nbdsh -u "$uri" -c '
for i in range(301):
    try:
        h.pread(512, (i % 1024) * 512) if i else h.pwrite(b"x" * 512, 0)
        raise SystemExit(1)
    except nbd.Error as e:
        assert e.errno == "EIO", e'
fault="$work/disk.img, sector 385\) failed: the file ends at sector 128"
is "the log has a line for each kind, not for each request" 2 "$(grep -c " vd: .* failed: " "$XDG_RUNTIME_DIR/dmuse/log")"
like "it says what failed, where and why" " vd: read of sector 1 \($fault$" "$(cat "$XDG_RUNTIME_DIR/dmuse/log")"
for command in status info stats; do
	run $command vd
	like "$command tells it, too" "^0:.*vd: read of sector 1 \($fault \(300 like it, the last [0-9]+ seconds? ago\)" "$status:$(tr '\n' ' ' <<<"$err")"
done
is "and prints what it always prints" "0 1024 linear " "$("$DMUSE" status vd 2>stderr)"
is "with --json also" "1" "$("$DMUSE" info vd --json 2>stderr | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')"
for command in "ls --target linear" mangle "table vd" "measure vd" "wipe_table vd"; do
	# shellcheck disable=SC2086
	run $command
	is "${command%% *} looks the device up, and tells nothing" "0:" "$status:$err"
done
works "another table" load vd --table '0 1024 zero'
works "takes its place" resume vd
prints "nothing is told of the one before" "0 1024 zero " status vd
is "on stderr neither" "" "$err"
plan
