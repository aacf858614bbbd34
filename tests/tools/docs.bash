# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# For tests of the documentation, sourced: `play FILE...` runs the commands in these files of the tree, and `plan` ends the test. A ```console
# block has commands after "$ " (lines after "> " belong to them), each followed by its output (trailing blanks are ignored); "..."
# matches anything. All blocks run in one shell, in order.
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
. "$here/tests/tools/session.bash"
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

# The files' commands; at least six.
play() {
	local inside=no line
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
	done 3< <(cd "$here" && cat "$@")
	n=$((n + 1))
	if [ $n -gt 6 ]; then echo "ok $n - $* has commands"; else echo "not ok $n - $* has commands"; fi
}

plan() {
	echo "1..$n"
}
