#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The commands in README.md, HACKING.md and doc/fault-testing.md do what these say. A ```console block has commands
# after "$ " (lines after "> " belong to them), each followed by its output (trailing blanks are ignored); "..." matches
# anything. All blocks of a file run in one shell, in order.
here=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${DMUSE:-build/dmuse}")
work=$(mktemp -d)
export XDG_RUNTIME_DIR=$work/run
PATH=$(dirname "$program"):$PATH
unset DMUSE_SOCKET DMUSE_NO_START
# As if the module was installed.
export DMUSE=$program PYTHONPATH=$here/python PYTEST_PLUGINS=dmuse.pytest_plugin PYTHONDONTWRITEBYTECODE=1 PYTEST_ADDOPTS="-p no:cacheprovider"
trap 'dmuse shutdown --no-start >"$work/log" 2>&1; rm -rf "$work"' EXIT
mkdir -m 700 "$work/run" "$work/tour"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"
lack=$(session_lacks)
cd "$work/tour" || exit 1
ln -s "$here/examples" examples

n=0
command='' wanted=''
# Why a command cannot run on this machine, or nothing.
lacks() {
	[ -z "$lack" ] || ! grep -Eq 'dmuse (exec|shell)' <<<"$1" || echo "$lack"
	[[ $1 != "dmuse crash"* || $1 == *--raw* ]] || [ "$(id -u)" = 0 ] || echo "only root has the kernel's file systems"
	[[ $1 != pytest* ]] || type -P pytest >/dev/null || echo "there is no pytest"
}

# Runs the command collected so far and compares its output.
step() {
	[ -n "$command" ] || return
	local got pattern lacking
	n=$((n + 1))
	lacking=$(lacks "$command")
	if [ -n "$lacking" ]; then
		echo "ok $n - ${command%%$'\n'*} # SKIP $lacking"
		command='' wanted=''
		return
	fi
	eval "$command" >"$work/out" 2>&1
	got=$(sed 's/[ \t]*$//' "$work/out")
	pattern=$(sed 's/[][\\*?]/\\&/g; s/\.\.\./*/g' <<<"$wanted")
	# shellcheck disable=SC2053	# a pattern is intended
	if [[ $got == $pattern ]]; then
		echo "ok $n - ${command%%$'\n'*}"
	else
		echo "not ok $n - ${command%%$'\n'*}"
		printf 'wanted:\n%s\ngot:\n%s\n' "$wanted" "$got" | sed 's/^/#   /'
	fi
	command='' wanted=''
}

inside=no
while IFS= read -r line <&3; do
	case $inside:$line in
	no:'```console') inside=yes ;;
	no:*) ;;
	yes:'```') step; inside=no ;;
	yes:'$ '*) step; command=${line#'$ '} ;;
	yes:'>') command+=$'\n' ;;
	yes:'> '*) command+=$'\n'${line#'> '} ;;
	*) wanted+=${wanted:+$'\n'}$line ;;
	esac
done 3< <(cat "$here/README.md" "$here/HACKING.md" "$here/doc/fault-testing.md")
n=$((n + 1))
if [ $n -gt 5 ]; then echo "ok $n - README.md has commands"; else echo "not ok $n - README.md has commands"; fi

# `core/held.h` in HACKING.md is a file in src, or in the tree. Names with a * or with NAME stand for many.
missing=
for file in $(grep -o '`[A-Za-z.]*/[A-Za-z0-9_./*-]*`' "$here/HACKING.md" | tr -d '\`' | sort -u); do
	case $file in
	*NAME*) continue ;;
	build/*) file=${BUILD:-$here/build}/${file#build/} ;;
	*) [ -e "$here/src/${file%%/*}" ] && file=$here/src/$file || file=$here/$file ;;
	esac
	compgen -G "$file" >"$work/out" || missing+=" $file"
done
n=$((n + 1))
if [ -z "$missing" ]; then echo "ok $n - the files that HACKING.md names are there"; else echo "not ok $n - not there:$missing"; fi
echo "1..$n"
