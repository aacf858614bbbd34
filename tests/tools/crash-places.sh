#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse crash where little can be relied on: no working directory, no files without a name, a log without its end; as root and as an
# ordinary user.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# shellcheck disable=SC2016
write='head -c 4096 /dev/zero | tr "\0" a | dd of="$1" iflag=fullblock bs=4096 conv=notrunc,fsync status=none'

# shellcheck disable=SC2016
raw() {
	run crash --raw --size 1M --out "$1" --settle 0 --states 4 --run "$write" --check 'test -n "$1" -a -r "$1"'
}

gone() {
	raw out
	mkdir here
	cd here || exit 1
	rmdir ../here
	refuses "$who: a removed working directory has no path to anything" 1 '../gone/out: No such file' crash --out ../gone/out
	run crash --out "$work/gone/out"
	is "$who: but a recording is tried there" 0 "$status"
	like "$who: its states pass" 'passed +[1-9]' "$out"
	refuses "$who: a workload is not" 1 'cannot get the working directory' crash --raw --size 1M --out "$work/gone/out" --run true --check true
	cd "$work/gone" || exit 1
	works "$who: the recording is as it was" crash --out out --check true
}

# As on overlayfs before Linux 6.3, on NFS and over FUSE.
nameless() {
	local without=${DMUSE%/*}/tests/programs/no_tmpfile.so
	[ -e "$without" ] || { skip "$who: files without a name" "$without is not there"; return; }
	! LC_ALL=C grep -qa __asan_init "$DMUSE" || { skip "$who: files without a name" "a sanitizer has to be loaded first"; return; }
	export LD_PRELOAD=$without
	raw out
	is "$who: a recording needs no files without a name" 0 "$status"
	like "$who: the states were tried" 'passed +[1-9]' "$out"
	truncate -s 8M disk
	mkdir spill
	run create it --table "0 16384 powercut $PWD/disk 0 memory 1M spill $PWD/spill"
	is "$who: nor does a cache that spills" 0 "$status"
	ok "$who: more is written than there is memory for" nbdsh -u "$("$DMUSE" export it)" -c 'h.pwrite(b"x" * 4194304, 0)
assert h.pread(4194304, 0) == b"x" * 4194304'
	run status it
	like "$who: it has spilled" 'up 0 1 8192 .* [1-9][0-9]*$' "$out"
	is "$who: the file has no name" "" "$(ls -A spill)"
	works "$who: it goes" remove --retry it
	unset LD_PRELOAD
}

# The number of entries is at byte 16 of the log.
endless() {
	raw out
	like "$who: a log ends with a mark" '^recording ' "$out"
	local entries
	entries=$(od -An -t u1 -j 16 -N 1 out/log)
	printf "%b" "\\x$(printf %x $((entries - 1)))" | dd of=out/log bs=1 seek=16 conv=notrunc status=none
	run crash --out out
	is "$who: without it the states up to its last flush are tried" 0 "$status"
	like "$who: and the report says so first" '^note: the log does not end with the mark dm-log-writes-end: ' "$(head -1 <<<"$out")"
	run crash --out out --json
	like "$who: also as JSON" '"ended": ?false' "$out"
}

session_test gone nameless endless
