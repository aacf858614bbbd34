# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A uuid has at most 128 characters, a name 127.
long() { printf "%${1}s" '' | tr ' ' "$2"; }
for n in 127 128 129 200; do
	t dmsetup create "u$n" -u "$(long $n x)" --table '0 8 zero'
done
for n in 126 127 128 200; do
	t dmsetup create "$(long $n n)" --table '0 8 zero'
done
t dmsetup info -c -o name,uuid
t dmsetup rename "$(long 127 n)" "$(long 128 m)"
t dmsetup rename "$(long 127 n)" "$(long 127 m)"
t dmsetup ls
