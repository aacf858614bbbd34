#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The commands in doc/fault-testing.md do what it says.
# shellcheck source=tests/tools/docs.bash
. "$(dirname "$0")/docs.bash"
play doc/fault-testing.md
plan
