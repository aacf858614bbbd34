#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The Python module: its tests and doctests in a real pytest, also as an ordinary user; its types; and pip installs it
# with its plug-in.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
python=/usr/bin/python3
export DMUSE
DMUSE=$(realpath "$DMUSE")
# The user's settings for pip and pytest are not used.
unset PYTHONDONTWRITEBYTECODE PYTEST_ADDOPTS PYTEST_PLUGINS PIP_FIND_LINKS PIP_TARGET PIP_PREFIX PIP_USER VIRTUAL_ENV
export PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1

# lines COMMAND...: its lines of TAP are counted among ours; without any it has failed.
lines() {
	local line before=$tap
	while IFS= read -r line; do
		case $line in
		1..*) ;;
		"ok "* | "not ok "*)
			tap=$((tap + 1))
			sed -E "s/^(not )?ok [0-9]+/\1ok $tap/" <<<"$line"
			;;
		*) echo "$line" ;;
		esac
	done < <("$@" 2>&1)
	[ "$tap" -gt "$before" ] || ok "$* has tests" false
}

# A copy of the tree's python/, beside which pip and other users may write.
copy() {
	mkdir -p "$1"
	cp -r "$root/python" "$1/"
	cp "$root/tests/tools/pytest_tap.py" "$1/"
}

# pytest HOME COMMAND...: the tests in $tests, with COMMAND.
pytest() {
	cd "$1/python" || return
	# shellcheck disable=SC2086	# several words
	PYTHONPATH=$1/python:$1 "${@:2}" "$python" -m pytest -p no:cacheprovider -p no:terminal -p pytest_tap -p dmuse.pytest_plugin \
		--basetemp="$1/tests" --doctest-modules $tests
}

# A user who is not root gets a /dev/fuse of his own here, if the machine's is only for root.
as_user() {
	chmod 0711 "$work"
	cp "$DMUSE" "$work/user/dmuse"
	mknod -m 0666 "$work/user/fuse" c 10 229
	mkdir -m 0700 "$work/user/tmp" "$work/user/run"
	chown -R 61234:61234 "$work/user"
	lines pytest "$work/user" env HOME="$work/user" DMUSE="$work/user/dmuse" DMUSE_FUSE_DEVICE="$work/user/fuse" TMPDIR="$work/user/tmp" \
		XDG_RUNTIME_DIR="$work/user/run" setpriv --reuid 61234 --regid 61234 --clear-groups
}

installed() {
	$python -c 'import setuptools, wheel, pip' 2>/dev/null ||
		{ skip "pip installs it" "there is no python3-pip, python3-setuptools or python3-wheel"; return; }
	copy "$work/pip"
	ok "pip installs it, without a network" $python -m pip install -q --no-build-isolation --no-index --target "$work/site" "$work/pip/python"
	cat >"$work/test_installed.py" <<-'P'
		def test_disk(dmuse_disk):
		    with dmuse_disk.open() as disk:
		        disk.pwrite(b"x" * 512, 0)
	P
	cd "$work" || return
	like "and pytest finds its fixtures" "1 passed" "$(PYTHONPATH=$work/site $python -m pytest -p no:cacheprovider test_installed.py 2>&1)"
	ok "and whoever checks types its types" [ -e "$work/site/dmuse/py.typed" ]
}

if ! $python -c 'import pytest' 2>/dev/null; then
	skip "the module" "there is no python3-pytest"
	plan
	exit
fi
copy "$work/root"
tests="tests dmuse"
lines pytest "$work/root" env
if [ "$(id -u)" = 0 ]; then
	copy "$work/user"
	tests="tests/test_daemon.py tests/test_session.py tests/test_power.py"
	as_user
fi
if $python -c 'import mypy' 2>/dev/null; then
	cd "$root/python" || exit 1
	is "its types fit" "" "$($python -m mypy --no-error-summary --cache-dir="${BUILD:-$root/build}/mypy" 2>&1)"
else
	skip "its types fit" "there is no mypy"
fi
is "its version is the program's" "$(sed -n "s/^  version: '\(.*\)',/\1/p" "$root/meson.build")" \
	"$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/python/pyproject.toml")"
installed
plan
