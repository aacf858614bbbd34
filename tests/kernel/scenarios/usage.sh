# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Commands with wrong usage.
try() {
	t dmsetup "$@" >said
	head -n 3 said
	tail -n 1 said | grep '^\['
}
try nonsense
try create
try load
try rename one
try info -x
try info a b
try suspend a b
try setgeometry
try message
try wipe_table
try deps a
try mknodes nothing
try mknodes
try ls a
try clear
try target-version
try udevcookies
try udevcomplete_all -y
try version word
