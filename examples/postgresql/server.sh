# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Sourced by run.sh and check.sh: a PostgreSQL server as the user postgres, whose data is in the working directory.
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
data=$PWD/data

as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }

# server FSYNC: starts it, on a socket beside the data; a failure if it does not come up.
server() {
	as_postgres pg_ctl start -w -t 50 -s -D "$data" -l "$data/log" \
		-o "-c fsync=$1 -c listen_addresses= -k $data -c max_connections=10 -c shared_buffers=1MB" </dev/null >/dev/null 2>&1
}

query() { as_postgres psql -q -A -t -h "$data" -d postgres -c "$1"; }
