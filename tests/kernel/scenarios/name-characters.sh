# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Which characters a name and a uuid may have, mangled and not.
# Linux 6.1 differs: "." and ".." are names, and the tools fail on them.
for name in 'a b' 'a#+-.:=@_z' 'a\x20b' 'tab	x' 'a"b' "a'b" 'a\b' 'a$b' 'a/b' '/a' '.' '..' '-x' 'a,b' 'a;b' 'ä' 'a%b' '~' '*' '' ' '; do
	t dmsetup create --table '0 8 zero' -- "$name"
done
t dmsetup ls
t dmsetup info -c --noheadings -o name
t dmsetup info -c --noheadings -o mangled_name
t dmsetup info -c --noheadings -o unmangled_name
ls /dev/mapper
t dmsetup info 'a b'
t dmsetup info 'a\x20b'
