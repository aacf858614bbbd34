# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# uuids: a device can be selected by uuid; each exists only once; renaming sets one, once.
t dmsetup create one -u U-1 --table '0 8 zero'
t dmsetup create two --uuid U-1 --table '0 8 zero'
t dmsetup create three -u '' --table '0 8 zero'
t dmsetup info -u U-1
t dmsetup table -u U-1
t dmsetup info -u NONE
t dmsetup rename three --setuuid U-3
t dmsetup info -c -o name,uuid
t dmsetup rename three --setuuid U-4
t dmsetup create four -n
t dmsetup rename four --setuuid U-1
t dmsetup rename -u U-3 trio
t dmsetup info -c -o name,uuid
t dmsetup suspend -u U-1
t dmsetup resume -u U-1
t dmsetup remove -u U-1
t dmsetup remove -u U-1
t dmsetup info -c -o name,uuid
