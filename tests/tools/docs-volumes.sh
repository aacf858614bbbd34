#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The commands in doc/volumes.md do what it says.
# shellcheck source=tests/tools/docs.bash
. "$(dirname "$0")/docs.bash"
if command -v lvm >/dev/null || [ -x /sbin/lvm ]; then
	play doc/volumes.md
else
	echo "ok 1 # SKIP LVM is not installed"
fi
plan
