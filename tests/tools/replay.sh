#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse replay: logs of ours, and one that Linux has recorded; what is left out, found and checked; and logs that will not do.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
here=$root/tests/tools
cd "$work" || exit 1
sum() { md5sum <"$1" | cut -c 1-32; }
fresh() { rm -f out; truncate -s 4M out; }

# A log of ours: a disk that is written to over NBD, with marks.
truncate -s 4M disk
truncate -s 16M log
run create it --table "0 8192 log-writes $PWD/disk $PWD/log"
is "a device with a log" 0 "$status"
run export it
uri=$out
write() { nbdsh -u "$uri" -c "$1"; }
ok "writes, with FUA, discards, zeros and flushes" write '
import os
h.pwrite(b"a" * 65536, 0)
h.pwrite(b"b" * 4096, 131072, nbd.CMD_FLAG_FUA)
h.flush()
for i in range(1, 4):	# one of 3 MiB would be three requests, which are logged as they end
    h.pwrite(os.urandom(1 << 20), i << 20)
h.zero(65536, 2 << 20)
h.flush()'
cp disk at-one
works "a mark" message it 0 mark one
ok "more" write '
h.pwrite(b"c" * 512, 512)
h.trim(4096, 0)
h.flush()'
works "a mark with a blank" message it 0 mark 'two words'
works "the log ends" remove it
prints "the list" "0 write 256+8 fua
1 write 0+128
2 flush
3 write 2048+2048
4 write 4096+2048
5 write 6144+2048
6 write 4096+128
7 flush
8 mark one
9 write 1+1
10 discard 0+8
11 flush
12 mark two words
13 mark dm-log-writes-end" replay --log log
prints "the number of entries" 14 replay --log log --num-entries
is "a reader that shares nothing with ours sees the same" "$("$DMUSE" replay --log log | grep -c .)" "$(python3 "$here/log_reader.py" log | grep -c .)"

fresh
prints "up to a mark" "entries 0 to 8 of 14, 3280896 bytes, are on out" replay --log log --replay out --end-mark one
is "gives what the disk had then" "$(sum at-one)" "$(sum out)"
prints "and on from there" "entries 9 to 13 of 14, 512 bytes, are on out" replay --log log --replay out --start-mark one
is "gives what the disk has now" "$(sum disk)" "$(sum out)"
fresh
python3 "$here/log_reader.py" log out
is "the other reader gives that, too" "$(sum disk)" "$(sum out)"
fresh
for n in 1 3 4 3; do "$DMUSE" replay --log log --replay out --start-entry "${next:-0}" --limit $n >/dev/null; next=$((${next:-0} + n)); done
truncate -s 0 other
truncate -s 4M other
python3 "$here/log_reader.py" log other 11
is "in pieces" "$(sum other)" "$(sum out)"

prints "the next flush" 2@140 replay --log log --find --next-flush
prints "the next flush from there" 7@6417 replay --log log --find --next-flush --start-entry 3
prints "the next FUA" 0@10 replay --log log --find --next-fua
prints "a mark" 12@6423 replay --log log --find --end-mark 'two words'
prints "what lies in some sectors" "1 write 0+128
2 flush" replay --log log --start-sector 8 --end-sector 100 --limit 5
fresh
works "without discards" replay --log log --replay out --no-discard --json
is "these leave what was written" c "$(dd if=out bs=1 skip=512 count=1 status=none)"
is "as JSON" '{"entries": 14, "next_entry": 14, "bytes": 3281408, "checks": 0}' "$("$DMUSE" replay --log log --replay out --json | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)))')"
is "the list as JSON" '[256, 8, ["fua"]] one' "$("$DMUSE" replay --log log --json | python3 -c 'import json, sys
log = json.load(sys.stdin)["entries"]
print(json.dumps([log[0][k] for k in ("sector", "sectors", "flags")]), log[8]["mark"])')"

run replay --log log --replay out --fsck 'echo checked' --check flush
is "a check at each flush" "checked checked checked" "$(grep checked <<<"$out" | paste -sd ' ')"
run replay --log log --replay out --fsck 'echo checked' --check 5
is "a check after every five" "checked checked" "$(grep checked <<<"$out" | paste -sd ' ')"
refuses "a check that fails ends it" 1 "after entry 7 '! cmp -s -n 1 -i 1048576 out at-one' failed with exit status 1" replay --log log \
	--replay out --start-entry 3 --fsck '! cmp -s -n 1 -i 1048576 out at-one' --check flush

# What will not do is refused before anything is written.
truncate -s 1M small
refuses "a target that is too small" 1 "entry 3 .byte 71680 of the log. is a write of sectors 2048 to 4095, but small has 2048 sectors; nothing was written" \
	replay --log log --replay small
is "has not changed" "$(head -c 1048576 /dev/zero | md5sum | cut -c 1-32)" "$(sum small)"
refuses "no target" 1 "there is no such file; 'truncate -s SIZE none' makes one" replay --log log --replay none
refuses "no log" 1 "log none: No such file" replay --log none
refuses "not a log" 1 "not a log of writes" replay --log at-one
head -c 1000000 log >part
fresh
refuses "a log that was cut" 1 "entry 3 .byte 71680. has 2048 sectors of data, but the log ends after" replay --log part --replay out
is "leaves the target as it was" "$(head -c 4194304 /dev/zero | md5sum | cut -c 1-32)" "$(sum out)"
refuses "a mark that is not there" 1 "there is no mark 'three'" replay --log log --replay out --end-mark three
refuses "a beginning that is not there" 1 "there is no mark 'three'" replay --log log --replay out --start-mark three
refuses "an entry that is not there" 1 "there is no entry 14: it has 14, counted from 0" replay --log log --start-entry 14
refuses "no options" 2 "the log is missing: --log LOGFILE" replay
refuses "a check without a time" 2 "belong together" replay --log log --replay out --fsck true
refuses "a check at no time" 2 "flush, fua, or a number of entries" replay --log log --replay out --fsck true --check never
refuses "two things at once" 2 "one of --list, --replay, --find, --num-entries" replay --log log --find --replay out
refuses "to find nothing" 2 "what\?" replay --log log --find

# A new log begins where the old one was, whose superblock must not count its entries.
works "a new log on the same file" create it --table "0 8192 log-writes $PWD/disk $PWD/log"
ok "with a write" write 'h.pwrite(b"d" * 4096, 0); h.flush()'
works "which is in the log" suspend it
refuses "the old one is not taken for it" 1 "there is no superblock of a log of writes at byte 0, only zeros" replay --log log
works "it goes on" resume it
works "it ends" remove it
prints "it is the new one" "0 write 0+8
1 flush
2 mark dm-log-writes-end" replay --log log
refuses "a mark for no log" 1 "mark x: no device has a line of the target log-writes" mark x
works "a device without a log" create plain --table '0 8 zero'
refuses "a mark for it" 1 "mark x: none of these devices has a line of the target log-writes" mark x plain
works "it goes" remove plain

# A log that Linux 6.12 has recorded, with the sums of its disk at each mark (tests/kernel/log-record).
while read -r word rest; do
	case $word in
	log) base64 -d <<<"$rest" | gzip -d >linux ;;
	mark)
		read -r mark want <<<"$rest"
		rm -f out
		truncate -s 1M out
		"$DMUSE" replay --log linux --replay out --end-mark "$mark" >/dev/null
		is "Linux's log up to its mark $mark gives Linux's data" "$want" "$(sum out)"
		;;
	esac
done <"$root/tests/kernel/log.linux"
plan
