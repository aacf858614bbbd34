#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The examples of the manual pages: every table in them is accepted, every command works.
here=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${DMUSE:-build/dmuse}")
pages=$(realpath "${BUILD:-build}")/doc/man
work=$(mktemp -d)
export XDG_RUNTIME_DIR=$work/run
PATH=$(dirname "$program"):$PATH
unset DMUSE_SOCKET DMUSE_NO_START
trap 'dmuse shutdown --no-start >"$work/log" 2>&1; rm -rf "$work"' EXIT
mkdir -m 700 "$work/run" "$work/files"
cd "$work/files" || exit 1
truncate -s 16M disk.img other.img a.img b.img cow.img

n=0
example() {
	local what=$1 out
	n=$((n + 1))
	if out=$(eval "$2" 2>&1); then echo "ok $n - $what"; else echo "not ok $n - $what"; echo "$out" | sed 's/^/# /'; fi
}

for page in "$here"/doc/man/*.[0-9] "$pages"/*.[0-9]; do
	table='' inside=
	while IFS= read -r line <&3; do
		line=${line//\\-/-}
		case $inside$line in
		.Bd*-literal*) inside=yes ;;
		yes.Ed)
			[ -z "$table" ] || example "${page##*/}: ${table%%$'\n'*}" "dmuse check $([[ $table != *\ verity\ * ]] || echo --readonly) <<<\"\$table\""
			table='' inside= ;;
		'yes$ '*) example "${page##*/}: ${line#'$ '}" "${line#'$ '}" ;;
		yes[0-9]*) table+=${line//\/dev\/wd1a/disk.img}$'\n' ;;
		esac
	done 3<"$page"
done
echo "1..$n"
[ $n -ge 8 ]
