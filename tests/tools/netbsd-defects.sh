#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What NetBSD's driver does wrong must be right here, over the same protocol: netbsd_defects.py, a test a defect.
exec /usr/bin/python3 -B "$(dirname "$0")/netbsd_defects.py"
