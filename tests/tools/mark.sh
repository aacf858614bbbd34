#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse mark: each log and each disk whose power may be cut has the mark once, however many lines are on it.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"

cd "$work" || exit 1
truncate -s 1M disk 'other disk' logged
truncate -s 4M log

run create a --table "0 1024 powercut $PWD/disk 0"
is "a disk with a line" 0 "$status"
works "and another line" create b --table "0 1024 powercut $PWD/disk 1024"
works "a second disk, whose name has a blank" create c --table "0 2048 powercut '$PWD/other disk' 0"
for name in a c; do
	works "the power of $name goes at a mark" message $name 0 cut at mark here
done
works "the mark cuts both disks, and fails on no line" mark here
for name in a b c; do
	run status $name
	like "the power of $name is off" 'powercut cut 0 ' "$out"
done
refuses "a second mark is not there any more" 1 "the power of .* is off" mark here
works "the power comes back" restore a
works "on the other disk, too" restore c
works "a mark is one again" mark here a b c
works "they go" remove a b c

works "two lines with a log" create l --table "0 1024 log-writes $PWD/logged $PWD/log
1024 1024 log-writes $PWD/logged $PWD/log"
works "a mark for them" mark once
works "for the one device, named twice" mark twice l l
works "the log ends" remove l
prints "each mark is there once" "0 mark once
1 mark twice
2 mark dm-log-writes-end" replay --log log

echo "1..$tap"
