# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A name that is another's uuid, uuids that differ in case, names with characters that are special to shells.
t dmsetup create one -u two --table '0 8 zero'
t dmsetup create two -u one --table '0 8 error'
t dmsetup table one
t dmsetup table -u one
t dmsetup rename two --setuuid one
t dmsetup create three -u TWO --table '0 8 zero'
t dmsetup create One --table '0 8 zero'
t dmsetup rename One ONE
t dmsetup info -c -o name,uuid
t dmsetup remove -u two
t dmsetup remove -u one
t dmsetup ls
t dmsetup create four -u 'with space/and slash' --table '0 8 zero'
t dmsetup info -c -o name,uuid
t dmsetup info -u 'with space/and slash' -c -o name
t dmsetup create five -u LVM-abc --table '0 8 zero'
t dmsetup info -c -o name,uuid,subsystem five
t dmsetup create 'six,seven' --table '0 8 zero'
t dmsetup table --concise 'six,seven'
t dmsetup create '*' --table '0 8 zero'
t dmsetup info -c -o name
