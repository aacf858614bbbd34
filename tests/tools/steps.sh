#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Random steps with recorded answers of a kernel with the real device-mapper (tests/kernel/generate) get the same
# answers in a session.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

steps() {
	local recorded=$root/tests/kernel/recorded/steps.txt
	ok "$(grep -c '^+' "$recorded") steps have the kernel's answers" \
		"$root/tests/kernel/generate" --build "$(dirname "$DMUSE")" --recorded "$recorded"
}

SESSION_ROOT_ONLY=1
session_test steps
