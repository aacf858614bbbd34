# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# ls --tree in its forms.
t dmsetup create one --table '0 64 linear /dev/vda 0'
t dmsetup create two --table '0 64 striped 2 8 /dev/vda 64 /dev/vdb 0'
t dmsetup create three -u UID3 --table '0 64 linear /dev/mapper/one 0
64 64 linear /dev/mapper/two 0'
t dmsetup create four --table '0 8 zero'
t dmsetup create five --readonly --table '0 8 linear /dev/mapper/three 0'
t dmsetup suspend four
for options in compact inverted ascii 'ascii,inverted' open uuid nodevice notrunc active rw blkdevname 'blkdevname,nodevice' nonsense; do
	t dmsetup ls --tree -o "$options"
done
t dmsetup ls --tree
