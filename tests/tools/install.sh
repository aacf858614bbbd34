#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make install installs everything, and prints what comes next or what is in the way; make uninstall leaves nothing.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$root" || exit 1
build=${BUILD:-build}
prefix=$(cat "$build/prefix")

if command -v meson >/dev/null; then
	mkdir "$work/dest"
	ok "install" scripts/install "$build" "$prefix" "$work/dest"
	for f in bin/dmuse share/man/man1/dmuse.1 share/bash-completion/completions/dmuse lib/systemd/system/dmuse.socket \
		share/doc/dmuse/protocol.md share/doc/dmuse/example-client.py share/doc/dmuse/fault-testing.md share/doc/dmuse/examples/ci/fault-tests.sh; do
		ok "$f is there" [ -s "$work/dest$prefix/$f" ]
	done
	: >"$work/dest$prefix/bin/other"
	ok "uninstall" scripts/uninstall "$build" "$prefix" "$work/dest"
	is "leaves nothing but what is others'" "$work/dest$prefix/bin/other" "$(find "$work/dest" -type f)"
	is "and no directory of its own" "" "$(find "$work/dest" -name dmuse -o -name examples)"
	ok "uninstall once more" scripts/uninstall "$build" "$prefix" "$work/dest"
else
	skip "install and uninstall" "there is no meson"
fi

# The output is the script's own; meson is replaced, so that nothing is written to the machine.
mkdir "$work/bin" "$work/build"
ln -s /bin/true "$work/bin/meson"
out=$(PATH=$work/bin:$PATH scripts/install "$work/build" "$work" "" 2>&1)
like "it says where it is" "^Installed: $work/bin/dmuse" "$out"
like "and how to have a daemon after boot" "enable dmuse.socket" "$out"
out=$(PATH=$work/bin:$PATH scripts/install "$work/build" "$work/none/there" "$work/dest" 2>&1)
is "packages are made without words" "" "$out"
ln -sf /bin/false "$work/bin/meson"
out=$(PATH=$work/bin:$PATH scripts/install "$work/build" "$work" "" 2>&1)
like "what breaks off is said" "1:.*not everything could be installed in $work; \`make uninstall\`" "$?:$out"
if [ "$(id -u)" = 0 ]; then
	chmod 0711 "$work"
	cp scripts/install "$work/install"
	out=$(setpriv --reuid 65534 --regid 65534 --clear-groups sh "$work/install" nothing /usr/local "" 2>&1)
	status=$?
	is "without rights it says so, and what to do" "1:make install: user $(id -un 65534) may not write to /usr/local: become root \
(sudo make install), or choose another place (make install PREFIX=\$HOME/.local)" "$status:$out"
else
	skip "installing without rights" "this takes root"
fi
plan
