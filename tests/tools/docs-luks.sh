#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The commands in doc/luks.md do what it says.
# shellcheck source=tests/tools/docs.bash
. "$(dirname "$0")/docs.bash"
if [ -x /sbin/cryptsetup ]; then
	play doc/luks.md
else
	echo "ok 1 # SKIP cryptsetup is not installed"
fi
plan
