#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse crash on PostgreSQL, 100 states with fsync on and off: some minutes, for each state is a recovery. `make test-crash-postgresql`
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/../tools/tap.bash"
cd "$work" || exit 1

# postgresql FSYNC STATES
postgresql() {
	run crash --size 256M --out crash --points 50 --states "$2" --run "$root/examples/postgresql/run.sh $1 40" --check "$root/examples/postgresql/check.sh $1"
	sed 's/^/# /' <<<"$out"
}

if [ "$(id -u)" != 0 ] || ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	skip "PostgreSQL" "it is not installed, or this is not root"
	plan
	exit 0
fi
chmod 0755 "$work"
postgresql on 60
is "fsync=on: nothing is lost" 0 "$status"
ok "... in 100 states" [ "$(sed -n 's/^ *passed *//p' <<<"$out")" -ge 100 ]
postgresql off 20
is "fsync=off: it is found" 3 "$status"
like "... that commits are lost" 'was committed, and there are|does not start' "$out"
plan
