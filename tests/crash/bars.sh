#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What dmuse crash must show, at full length, as root: some minutes. `make test-crash`
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/../tools/tap.bash"
cd "$work" || exit 1
[ "$(id -u)" = 0 ] || { skip "the bars of dmuse crash" "the kernel mounts file systems for root only"; plan; exit 0; }

# sqlite JOURNAL SYNCHRONOUS STATES
sqlite() {
	run crash --size 64M --out crash --settle 0 --states "$3" --run "$root/examples/sqlite/run.py $1 $2 60" --check "$root/examples/sqlite/check.py"
	sed 's/^/# /' <<<"$out"
}

# number WORD: of the report.
number() { sed -n "s/^ *$1 *\([0-9]*\).*/\1/p" <<<"$out"; }
per_second() { sed -n 's/.*(\([0-9]*\) per second.*/\1/p' <<<"$out"; }

sqlite WAL FULL 1000
is "SQLite, journal_mode=WAL, synchronous=FULL: nothing is lost, and nothing corrupt" 0 "$status"
ok "... in 1,000 states" [ "$(number passed)" -ge 1000 ]
sqlite DELETE EXTRA 1000
is "journal_mode=DELETE, synchronous=EXTRA: nothing is lost" 0 "$status"
ok "... in 1,000 states" [ "$(number passed)" -ge 1000 ]
sqlite DELETE FULL 100
is "synchronous=FULL: a commit is lost" 3 "$status"
like "... which SQLite documents" 'row [0-9]+ was committed, and the last one is' "$out"
began=$SECONDS
sqlite DELETE OFF 100
is "synchronous=OFF: it is found" 3 "$status"
ok "... within a minute" [ $((SECONDS - began)) -lt 60 ]

writer=$(dirname "$DMUSE")/tests/crash/journal_writer
for fs in ext4 xfs btrfs; do
	if ! command -v mkfs.$fs >/dev/null || ! grep -qw $fs /proc/filesystems; then
		skip "the daemon's journal on $fs" "there is no $fs"
		continue
	fi
	run crash --fs $fs --size 300M --out crash --settle 0 --states 1000 --run "$writer run 100" --check "$writer check"
	sed 's/^/# /' <<<"$out"
	is "the daemon's journal on $fs: no transaction that was durable is lost or torn" 0 "$status"
done

# shellcheck disable=SC2016	# the shell of the workload expands it
run crash --size 64M --out crash --settle 0 --states 2000 --run 'i=0; while [ $i -lt 60 ]; do i=$((i + 1)); seq $i 2000 >f$i; sync f$i; done' --check true
sed 's/^/# /' <<<"$out"
ok "40 states per second with the kernel's ext4 of 64 MiB" [ "$(per_second)" -ge 40 ]
run crash --out crash --fuse --states 1000
sed 's/^/# /' <<<"$out"
ok "20 per second with fuse2fs" [ "$(per_second)" -ge 20 ]
# shellcheck disable=SC2016
run crash --raw --size 4M --out crash --settle 0 --states 10000 --check true \
	--run 'for i in 1 2 3 4 5 6 7 8; do head -c 65536 /dev/urandom | dd of=$1 bs=4k seek=$((i * 16)) iflag=fullblock conv=notrunc oflag=direct status=none; done'
sed 's/^/# /' <<<"$out"
ok "10,000 states of a raw disk" [ "$(number passed)" -ge 10000 ]
ok "... in a minute" [ "$(per_second)" -ge 167 ]
plan
