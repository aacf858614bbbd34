# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Messages to targets that accept none, at sectors that exist and that do not.
# Linux 6.1 differs: a message to a device without a table is an error there as well.
t dmsetup create one --table '0 64 zero
64 64 linear /dev/vda 0'
t dmsetup message one 0 hello
t dmsetup message one 64 hello world
t dmsetup message one 127 hello
t dmsetup message one 128 hello
t dmsetup message one 9999999 hello
t dmsetup message one x hello
t dmsetup message one 0
t dmsetup message nothing 0 hello
t dmsetup message one 0 ''
t dmsetup message one 0 @cancel_deferred_remove
t dmsetup message one 0 @nonsense
t dmsetup message one 64 @nonsense
exec 3</dev/mapper/one
t dmsetup remove --deferred one
t dmsetup info one
t dmsetup message one 0 @cancel_deferred_remove
t dmsetup info one
exec 3<&-
t dmsetup ls
t dmsetup suspend one
t dmsetup message one 0 hello
t dmsetup create two -n
t dmsetup message two 0 hello
t dmsetup message two 0 @cancel_deferred_remove
