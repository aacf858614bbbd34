# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# For tests of sessions, sourced after tap.bash: the same functions run as root and as an ordinary user who is created
# for the test, with a /dev/fuse of his own if the machine's is only for root. Ends with `session_test FUNCTION...`; in
# these $who is root or user, and the directory is empty.
PATH=$PATH:/usr/sbin:/sbin
export TMPDIR=$work/tmp
mkdir -p "$TMPDIR"

# Why there can be no sessions here, or nothing.
session_lacks() {
	[ -c "${DMUSE_FUSE_DEVICE:-/dev/fuse}" ] || { echo "there is no /dev/fuse"; return; }
	[ "$(id -u)" != 0 ] || unshare -m true 2>/dev/null || { echo "root may make no mount namespace"; return; }
	# Entering a mount namespace leads to its root directory.
	[ "$(id -u)" != 0 ] || [ "$(stat -c %d:%i /)" = "$(nsenter --mount=/proc/self/ns/mnt stat -c %d:%i / 2>/dev/null)" ] ||
		{ echo "this is a chroot"; return; }
	[ "$(id -u)" = 0 ] || unshare -Urm true 2>/dev/null || { echo "users may make no user namespace"; return; }
}

# The process that holds the session of this test's daemon: another test may have one, too.
session_holder() {
	local pid
	for pid in $(pgrep -f "^$DMUSE daemon"); do
		! grep -qzF "XDG_RUNTIME_DIR=$work/" "/proc/$pid/environ" || pgrep -f session-holder -P "$pid"
	done
}

# What this test has left: processes of the program under test, directories of private daemons, mounts.
session_traces() {
	local pid
	find /proc/[0-9]*/exe -maxdepth 0 -lname "$(readlink -f "$DMUSE")" 2>/dev/null | while read -r pid; do
		grep -qzF "XDG_RUNTIME_DIR=$work/" "${pid%exe}environ" && tr '\0' ' ' <"${pid%exe}cmdline"
	done 2>/dev/null
	ls -d "$TMPDIR"/dmuse-?????? 2>/dev/null
	! grep -F "$work" /proc/mounts
	losetup -a 2>/dev/null | grep -F "$work"
}

session_functions() {
	local f
	for f in "$@"; do
		mkdir "$work/$f"
		cd "$work/$f" || exit 1
		"$f"
		"$DMUSE" shutdown --no-start >/dev/null 2>&1
	done
	cd "$work" || exit 1
}

# The same script as the user; its lines are counted among ours.
session_as_user() {
	local theirs line
	theirs=$(mktemp -d "$outside/user-XXXXXX")
	mkdir -p "$theirs/tests" "$theirs/work"
	cp -r "$root/tests/tools" "$theirs/tests/tools"
	mkdir "$theirs/tests/programs"
	cp "$(dirname "$DMUSE")"/tests/programs/*.so "$theirs/tests/programs"
	cp "$DMUSE" "$theirs/dmuse"
	mknod -m 0666 "$theirs/fuse" c 10 229
	chmod 0755 "$theirs"
	chown 61234:61234 "$theirs" "$theirs/work"
	while read -r line; do
		case $line in
		1..*) ;;
		"ok "* | "not ok "*)
			tap=$((tap + 1))
			sed -E "s/^(not )?ok [0-9]+/\1ok $tap/" <<<"$line"
			;;
		*) echo "$line" ;;
		esac
	done < <(env DMUSE="$theirs/dmuse" DMUSE_FUSE_DEVICE="$theirs/fuse" TAP_WORK="$theirs/work" HOME="$theirs/work" \
		setpriv --reuid 61234 --regid 61234 --clear-groups \
		bash "$theirs/tests/tools/$(basename "$0")" 2>&1)
	rm -rf "${theirs:?}"
}

session_test() {
	local lack
	lack=$(session_lacks)
	who=user
	[ "$(id -u)" != 0 ] || who=root
	[ $who = root ] || PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
	[ $who = root ] || [ -z "${SESSION_ROOT_ONLY:-}" ] || lack="only root has what this tests"
	if [ -n "$lack" ]; then
		skip "sessions of $who" "$lack"
	else
		session_functions "$@"
	fi
	[ "$who" = user ] || [ -n "${SESSION_ROOT_ONLY:-}" ] || session_as_user
	plan
}
