#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh FSYNC [N]: commits N rows to a new PostgreSQL database in the working directory, with fsync on or off, and marks each commit that was
# reported. The server is left running: power is cut under it. As root, for dmuse crash --run.
set -e
# shellcheck source=examples/postgresql/server.sh
. "$(dirname "$0")/server.sh"
fsync=${1:-on}
mkdir data
chown postgres:postgres data
as_postgres initdb -D "$data" -A trust -N >/dev/null
sync -f .
server "$fsync"
query 'CREATE TABLE t (id integer PRIMARY KEY)'
query 'CHECKPOINT'
sync -f .
"$DMUSE" mark ready
i=0
while [ $i -lt "${2:-20}" ]; do
	i=$((i + 1))
	query "INSERT INTO t VALUES ($i)"
	"$DMUSE" mark "committed $i"
done
