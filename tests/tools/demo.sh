#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The demo succeeds, leaves nothing behind (also when it is interrupted), and can fail.
here=$(cd "$(dirname "$0")/../.." && pwd)
demo=$here/scripts/demo
TMPDIR=$(mktemp -d)	# our own, so that what is left behind can be detected
export TMPDIR
trap 'rm -rf "${TMPDIR:?}"' EXIT

n=0
ok() {
	n=$((n + 1))
	if "${@:2}"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
empty() { [ -z "$(ls -A "$TMPDIR")" ]; }

out=$("$demo" "${DMUSE:-build/dmuse}" 2>&1)
status=$?
sed 's/^/# /' <<<"$out"
ok "the demo passes" [ $status = 0 ]
ok "it says so" grep -q "The demo passed" <<<"$out"
ok "it leaves nothing behind" empty

# Interrupted while its daemon runs.
coproc D { exec setsid "$demo" "${DMUSE:-build/dmuse}" 2>&1; }
pid=$D_PID
seen=no
while [ $seen = no ] && read -r -u "${D[0]}" line; do
	[[ $line != *"dmuse table vd"* ]] || seen=yes
done
kill -TERM "$pid"
cat <&"${D[0]}" >/dev/null
wait "$pid"
status=$?
ok "an interrupted demo says that it did not end well" [ $seen:$status = yes:130 ]
ok "and leaves nothing behind either" empty

# A program that does nothing is not dmuse.
"$demo" /bin/false >/dev/null 2>&1
status=$?
ok "the demo fails with a program that does nothing" [ $status != 0 ]
echo "1..$n"
