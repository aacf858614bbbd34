# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# dmsetup mangle: names in either form, uuids, names that are taken; and the fields that show both forms.
names() { dmsetup info -c --manglename none --noheadings -o name,uuid; }
t dmsetup mangle
t dmsetup create --manglename none 'a b' --table '0 8 zero'
t dmsetup create --manglename none c -u 'u v' --table '0 8 zero'
t dmsetup create 'f g' -u 'h i' --table '0 8 zero'
t dmsetup create plain --table '0 8 zero'
t dmsetup create plain2 -u UUID --table '0 8 zero'
t dmsetup mangle c
t dmsetup mangle 'f\x20g'
t dmsetup mangle plain plain2
t dmsetup mangle missing
t dmsetup mangle --manglename none
names
t dmsetup mangle
names
t dmsetup remove c

say "a name that is taken"
t dmsetup create --manglename none 'p q' --table '0 8 zero'
t dmsetup create 'p q' --table '0 8 zero'
t dmsetup mangle 'p q'
names
t dmsetup remove --manglename none 'p q'

say "the other way"
t dmsetup create 'r s' --table '0 8 zero'
t dmsetup mangle --manglename none 'r\x20s'
names
t dmsetup mangle --manglename hex 'r s'
names

say "half of it is mangled already"
t dmsetup create --manglename none 'x\x20y z' --table '0 8 zero'
t dmsetup mangle 'x\x20y z'
t dmsetup mangle
t dmsetup mangle --manglename none 'x\x20y z'
names
for how in none hex auto; do
	t dmsetup info -c --manglename $how -o name,mangled_name,unmangled_name,uuid,mangled_uuid,unmangled_uuid 'f\x20g'
done
