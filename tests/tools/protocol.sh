#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The control protocol against a real daemon; the tests themselves are in protocol.py, as a client would be.
exec /usr/bin/python3 -B "$(dirname "$0")/protocol.py"
