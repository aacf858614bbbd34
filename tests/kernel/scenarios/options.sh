# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Options that change little without udev, and versions.
# Linux 6.1 differs: the driver's version.
t dmsetup version
t dmsetup create --noudevrules --noudevsync --verifyudev -y one --table '0 8 zero'
t dmsetup create two --udevcookie 0 --table '0 8 zero'
t dmsetup --checks info one
t dmsetup table --noflush --noopencount one
t dmsetup info --nolockfs -c one
t dmsetup -r create three --table '0 8 zero'
t dmsetup info -c -o name,attr
t dmsetup suspend --udevcookie 77 one
t dmsetup resume one
t dmsetup udevflags 0
t dmsetup udevcomplete 0
t dmsetup udevreleasecookie
t dmsetup help >said
head -n 1 said
t dmsetup load one --readonly --table '0 8 error'
t dmsetup resume one --readahead 64 --addnodeonresume
t dmsetup info one
