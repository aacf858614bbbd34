#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Some power cuts below file systems on stacks of every target. `make test-power` has as many as one likes.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"

unlisted() { PYTHONPATH=$root/tests/power python3 -B -c 'import stack; print(*stack.not_listed())'; }
is "every target is in tests/power/targets.list: in a table, or with the reason why not" "" "$(unlisted)"

seed=${POWER_SEED:-$RANDOM}
echo "# POWER_SEED=$seed gives the same stacks again"

# cuts WHAT FS: other stacks each time.
cuts() {
	local status
	"$root/tests/power/power" --directory "$work" --rounds 2 --seed "$seed" --fs "$2" >"$work/said"
	status=$?
	if grep -q "# SKIP" "$work/said"; then
		skip "$1" "$(sed -n 's/.*# SKIP //p' "$work/said")"
		return
	fi
	grep "^#" "$work/said"
	ok "$1" [ $status = 0 ]
}

cuts "power cuts below a file system: ext4 is clean, and what was synced is whole" ext4
cuts "xfs" xfs
cuts "btrfs" btrfs
plan
