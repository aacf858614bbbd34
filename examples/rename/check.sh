#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# check.sh: "settings" has the old text or the new one, whole. Before it was written the first time it may be missing. For dmuse crash --check.
[ -e settings ] || exit 0
[ "$(grep -c 'version 1' settings)" = 500 ] || [ "$(grep -c 'version 2' settings)" = 500 ] && exit 0
echo "settings has $(wc -c <settings) bytes, and neither the old text nor the new one"
exit 1
