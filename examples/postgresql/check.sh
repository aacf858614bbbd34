#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# check.sh FSYNC: after a power cut the server of run.sh comes up, and has every row whose commit was reported before the cut. For dmuse crash
# --check.
# shellcheck source=examples/postgresql/server.sh
. "$(dirname "$0")/server.sh"
grep -qx ready "$DMUSE_MARKS" || exit 0
promised=$(sed -n 's/^committed //p' "$DMUSE_MARKS" | tail -n 1)
# What a machine that was switched off has left, and another one's process may have the number of.
rm -f "$data/postmaster.pid" "$data"/.s.PGSQL.*
server "${1:-on}" || {
	echo "the server does not start:"
	tail -n 5 "$data/log"
	exit 1
}
rows=$(query 'SELECT count(*) FROM t') || exit 1
as_postgres pg_ctl stop -s -m immediate -D "$data"
[ "$rows" -ge "${promised:-0}" ] || {
	echo "row $promised was committed, and there are $rows"
	exit 1
}
