#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A program that uses NetBSD's ioctl (tests/netbsd/ioctl_client.c) in a session, as root and as an ordinary user.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

if [ -z "$NETBSD_CLIENT" ]; then
	directory=$(mktemp -d "$outside/netbsd-XXXXXX")
	export NETBSD_CLIENT=$directory/ioctl_client
	trap 'rm -rf "${directory:?}"; tap_end' EXIT
	cp "$(dirname "$DMUSE")/tests/netbsd/ioctl_client" "$(dirname "$DMUSE")/libdmuse-netbsd.so" "$directory"
	chmod -R a+rX "$directory"
fi

# Its own TAP, with other numbers.
client() {
	local line
	cp "${NETBSD_CLIENT%/*}/libdmuse-netbsd.so" . && cp "$DMUSE" dmuse
	while read -r line; do
		case $line in
		1..*) ;;
		"ok "* | "not ok "*)
			tap=$((tap + 1))
			sed -E "s/^(not )?ok [0-9]+ - /\1ok $tap - $who: /" <<<"$line"
			;;
		*) echo "# $line" ;;
		esac
	done < <(./dmuse exec --netbsd -- "$NETBSD_CLIENT" 2>&1)
}

session_test client
