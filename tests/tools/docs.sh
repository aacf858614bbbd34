#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The commands in README.md and HACKING.md do what these say, and the files that HACKING.md names exist.
# shellcheck source=tests/tools/docs.bash
. "$(dirname "$0")/docs.bash"
play README.md HACKING.md

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
plan
