#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How full a snapshot is, how far a merge and a mirror are: `status -v`, `info`, `ls --tree -o status`, --json, `wait --progress`.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
export DMUSE_SOCKET=$work/d/control
cd "$work" || exit 1
truncate -s 1M one.img two.img cow.img
"$DMUSE" daemon

put() { nbdsh -u "$("$DMUSE" export "$1")" -c "h.pwrite(b'x' * $3, $2)"; }

run create cow --table '0 1024 linear cow.img 0'
run create real --table '0 1024 linear one.img 0'
run create snap --table '0 1024 snapshot real cow P 16'
put snap 0 40960
run status -v snap
is "a snapshot: how full it is" $'0 1024 snapshot 112/1024 32\n  10% full (112 of 1024 sectors)' "$out"
run status snap
is "only with -v" '0 1024 snapshot 112/1024 32' "$out"
run info snap
like "info has it of a device that is named" '^Snapshot: +10% full \(112 of 1024 sectors\)$' "$out"
like "and since when" '^Active since:      20[0-9-]* [0-9:]*$' "$out"
is "nothing has happened yet" "" "$(grep '^Last event' <<<"$out")"
run info
is "and not of all" "" "$(grep '^Snapshot' <<<"$out")"
run ls --tree -o nodevice,status,ascii
like "the tree draws it" 'snap \[snapshot 10% full\]' "$out"
run status --json snap
is "as numbers" '{"used": 112, "total": 1024, "percent": 10, "unit": "sectors"}' \
	"$(python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)[0]["targets"][0]["progress"]))' <<<"$out")"
run wait --progress snap
is "there is no progress of a snapshot" "1:dmuse: wait snap: it has no line that is being merged (snapshot-merge) or made equal (mirror, raid): there is no progress to wait for" "$status:$err"
run wait --progress snap 3
is "nor is it an event" 2 "$status"
run remove snap

# What it is copied to is suspended, so nothing goes on.
run create low --table '0 1024 linear two.img 0'
run create m --table '0 1024 mirror core 1 128 2 real 0 low 0'
until_true eval '"$DMUSE" status m | grep -q " 8/8 "'
run wait --progress m
is "a mirror that is equal already" "0:m: 100% equal on all legs (8 of 8 regions):" "$status:$out:$err"
run remove m
run suspend low
run create m --table '0 1024 mirror core 1 128 2 real 0 low 0'
run status -v m
like "one that is not" '^  0% equal on all legs \(0 of 8 regions\)$' "$out"
script -qec "'$DMUSE' wait --progress m" typed >/dev/null </dev/null & waiter=$!
until_true grep -q '0% equal' typed
run resume low
ok "it waits until it is" wait $waiter
like "a terminal has seen how far it was" $'\rm: 0% equal on all legs' "$(cat typed)"
run info --json m
is "it says when that was, which is an event" "True" "$(python3 -c 'import json, sys, time; i = json.load(sys.stdin)[0]; print(time.time() - 600 < i["active_since"] <= i["last_event"] <= time.time())' <<<"$out")"
like "and then the last line alone" $'\r\e\\[Km: 100% equal on all legs \\(8 of 8 regions\\)\r' "$(cat typed)"
run remove m
run remove low
run create low --table $'0 512 linear two.img 0\n512 512 error'
run create m --table '0 1024 mirror core 1 128 2 real 0 low 0'
run wait --progress m
like "one that cannot be made equal" "^1:dmuse: wait m: it does not go on: .*; leg 2 has failed \(S\)" "$status:$err"
run remove m

run create org --table '0 1024 snapshot-merge real cow P 16'
run wait --progress --json org
is "a merge that is over" '{"left": 0, "unit": "sectors", "name": "org", "type": "snapshot-merge"}' "$(python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)))' <<<"$out")"
run message org 0 throttle 20
is "a throttle" "0:" "$status:$err"
run message org 0 throttle 200
like "is a percentage" "^1:.*throttle: how much of the time" "$status:$err"
run message org 0 faster
like "and the only message" "^1:.*'faster' is not a message of target snapshot-merge" "$status:$err"
"$DMUSE" shutdown
plan
