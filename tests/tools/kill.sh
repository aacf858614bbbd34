#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Some rounds of kill -9 under load and under commands, with a state in the run directory and with one on a disk. `make test-kill`
# has as many as one likes.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"

# rounds WHAT OPTION...
rounds() {
	"$root/tests/kill/kill" --directory "$work" "${@:2}" >"$work/said"
	ok "$1" [ $? = 0 ]
	grep '^#' "$work/said"
}

rounds "kill -9, 40 devices" --rounds 24 --devices 40 --seconds 0.1
rounds "kill -9, a state that survives power cuts" --durable --rounds 8 --devices 20 --seconds 0.1
plan
